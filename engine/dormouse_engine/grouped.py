"""LoRA for a batch of mixed adapters: one pair of matrix products per adapter and layer.

The arithmetic alone, in torch: it knows nothing of vLLM.

Shapes: T tokens of the batch, G tokens of one group, I inputs, O outputs of all slices together,
R rank of all slices together, L adapter slots.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

NO_ADAPTER = -1

Pair = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Group:
    """The tokens that one adapter slot answers.

    Attributes:
        slot: The adapter's place in the stacked weights.
        rows: A slice of the batch where they lie side by side, else int64[G].
    """

    slot: int
    rows: slice | Tensor


def group_tokens(slot_T: Tensor) -> tuple[Group, ...]:
    """Tokens by adapter slot; those of `NO_ADAPTER` are in no group.

    Args:
        slot_T: int64[T].
    """
    slots = [slot for slot in torch.unique(slot_T).tolist() if slot != NO_ADAPTER]
    groups = []
    for slot in slots:
        rows_G = torch.nonzero(slot_T == slot).flatten()
        first, last = int(rows_G[0]), int(rows_G[-1])
        together = last - first + 1 == len(rows_G)
        groups.append(Group(slot, slice(first, last + 1) if together else rows_G))
    return tuple(groups)


@dataclass
class Factors:
    """One layer's adapters, each as two factors ready to multiply.

    A layer that holds several projections side by side (query, key and value) has one pair of
    weights for each slice of its output; they become one pair, the second block-diagonal. Ranks are
    padded in the engine's tensors; here they are cut to what the adapter has. The engine asks for
    every layer, also for those in which an adapter has only zeros.

    Attributes:
        a_slices: [L, 1, R_slice, I] each.
        b_slices: [L, 1, O_slice, R_slice] each.
        sizes: How wide each slice of the output is.
    """

    a_slices: Sequence[Tensor]
    b_slices: Sequence[Tensor]
    sizes: Sequence[int]
    _version: int = -1
    _by_slot: dict[int, Pair | None] = field(default_factory=dict)

    def of(self, slot: int) -> Pair | None:
        """The factors of a slot, made anew after any of the layer's slots was written.

        Returns:
            [I, R] and [R, O], in the weights' own type; None for an adapter that leaves this layer
            as it is.
        """
        # torch counts the writes to a tensor.
        version = sum(tensor._version for tensor in (*self.a_slices, *self.b_slices))
        if version != self._version:
            self._version = version
            self._by_slot.clear()
        if slot not in self._by_slot:
            self._by_slot[slot] = _factors(
                [a[slot, 0] for a in self.a_slices], [b[slot, 0] for b in self.b_slices], self.sizes
            )
        return self._by_slot[slot]


def _factors(
    a_slices: Sequence[Tensor], b_slices: Sequence[Tensor], sizes: Sequence[int]
) -> Pair | None:
    ranks = [int(a.any(dim=1).nonzero().max()) + 1 if a.any() else 0 for a in a_slices]
    if not any(ranks):
        return None
    down_RI = torch.cat([a[:rank] for a, rank in zip(a_slices, ranks, strict=True)])
    up_RO = down_RI.new_zeros(sum(ranks), sum(sizes))
    row = column = 0
    for b, rank, size in zip(b_slices, ranks, sizes, strict=True):
        up_RO[row : row + rank, column : column + min(len(b), size)] = b[:size, :rank].T
        row, column = row + rank, column + size
    return down_RI.T.contiguous(), up_RO


def add_lora(
    output_TO: Tensor,
    input_TI: Tensor,
    groups: Sequence[Group],
    factors: Sequence[Pair | None],
    scale: float,
) -> None:
    """Add `scale * x A B` to each group's rows of the output, in place.

    Args:
        output_TO: [T, O], the base layer's output.
        input_TI: [T, I].
        groups: Which rows belong to which slot.
        factors: [I, R] and [R, O] of each group's slot; None adds nothing.
        scale: Factor of the product.
    """
    for group, pair in zip(groups, factors, strict=True):
        if pair is None:
            continue
        down_IR, up_RO = pair
        low_GR = input_TI[group.rows] @ down_IR
        if isinstance(group.rows, slice):
            output_TO[group.rows].addmm_(low_GR, up_RO, alpha=scale)
        else:
            output_TO.index_add_(0, group.rows, low_GR @ up_RO, alpha=scale)
