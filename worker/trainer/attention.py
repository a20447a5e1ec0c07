"""Attention over a pack: every sequence sees itself and, if it begins with it, the common prefix.

Over the whole row most of the products would be masked away. Here the rows that follow the prefix
are laid side by side, one sequence each, so the work grows with the sequences' lengths and not with
the square of the pack's.

Shapes: T tokens of the pack, P of the prefix, S sequences, L tokens of the longest one's own,
H heads, K key-value heads, G heads that share one of these, E
size of a head, A = P + L.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface

# The name under which a model is loaded with it.
PACKED = "dormouse_packed"


@dataclass(frozen=True)
class Layout:
    """Where the sequences of a pack lie in its row.

    Attributes:
        num_prefix_tokens: P; the prefix begins the row.
        row_SL: int64[S, L], each own token's place in the row; what is beyond a sequence's end
            points anywhere, since no token of the sequence can see it.
        slot_O: int64[T - P], the row's own tokens' places in `row_SL`, flattened.
        mask_S1LA: float32[S, 1, L, P + L], added to an own token's scores: minus infinity for what
            it may not see of prefix and own.
        mask_PP: float32[P, P], the same within the prefix.
    """

    num_prefix_tokens: int
    row_SL: Tensor
    slot_O: Tensor
    mask_S1LA: Tensor
    mask_PP: Tensor

    def to(self, device: torch.device) -> "Layout":
        """The same layout with its tensors on a device."""
        return Layout(
            self.num_prefix_tokens,
            self.row_SL.to(device),
            self.slot_O.to(device),
            self.mask_S1LA.to(device),
            self.mask_PP.to(device),
        )


def lay_out(
    num_prefix_tokens: int, num_own_tokens: Sequence[int], has_prefix: Sequence[bool]
) -> Layout:
    """The layout of a prefix and the sequences behind it.

    Args:
        num_prefix_tokens: P.
        num_own_tokens: S numbers.
        has_prefix: S times, whether the sequence begins with the prefix; the others do not see it.
    """
    longest = max(num_own_tokens)
    place_L = torch.arange(longest)
    length_S1 = torch.tensor(num_own_tokens)[:, None]
    start_S1 = num_prefix_tokens + length_S1.cumsum(0) - length_S1
    is_own_SL = place_L < length_S1
    mask_S1LA = _causal(longest, num_prefix_tokens + longest).repeat(len(length_S1), 1, 1, 1)
    mask_S1LA[~torch.tensor(has_prefix), ..., :num_prefix_tokens] = -torch.inf
    return Layout(
        num_prefix_tokens=num_prefix_tokens,
        row_SL=torch.where(is_own_SL, start_S1 + place_L, num_prefix_tokens),
        slot_O=is_own_SL.flatten().nonzero()[:, 0],
        mask_S1LA=mask_S1LA,
        mask_PP=_causal(num_prefix_tokens, num_prefix_tokens),
    )


def _causal(num_rows: int, num_columns: int) -> Tensor:
    """Minus infinity above the diagonal that ends in the lower right corner."""
    return torch.full((num_rows, num_columns), -torch.inf).triu(num_columns - num_rows + 1)


def packed_attention(
    module: nn.Module,
    query_1HTE: Tensor,
    key_1KTE: Tensor,
    value_1KTE: Tensor,
    attention_mask: Tensor | None,
    *,
    layout: Layout,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    **kwargs: object,
) -> tuple[Tensor, None]:
    """Attention of one pack, as transformers' models call it.

    Returns:
        [1, T, H, E], and no weights.

    Raises:
        NotImplementedError: If the model asks for a kind of attention that is not this one.
    """
    num_prefix = layout.num_prefix_tokens
    is_cut = sliding_window is not None and sliding_window < layout.mask_S1LA.shape[-1]
    for name, asked in (
        ("a softcap", kwargs.get("softcap") is not None),
        ("attention sinks", kwargs.get("s_aux") is not None),
        ("attention dropout", dropout > 0),
        ("a sliding window shorter than its sequences", is_cut),
    ):
        if asked:
            raise NotImplementedError(f"A model with {name} cannot be trained on packs.")
    scale = query_1HTE.shape[-1] ** -0.5 if scaling is None else scaling
    num_heads, num_tokens, size = query_1HTE.shape[1:]
    num_keys = key_1KTE.shape[1]
    query_KGTE = query_1HTE.view(num_keys, num_heads // num_keys, num_tokens, size) * scale
    key_KTE, value_KTE = key_1KTE[0], value_1KTE[0]

    def visible(states_KTE: Tensor) -> Tensor:
        prefix_KSPE = states_KTE[:, None, :num_prefix].expand(-1, len(layout.row_SL), -1, -1)
        return torch.cat([prefix_KSPE, side_by_side(states_KTE, layout)], dim=2)

    output_KSGLE = _attend(
        side_by_side(query_KGTE, layout).transpose(1, 2),
        visible(key_KTE),
        visible(value_KTE),
        layout.mask_S1LA,
    )
    output_THE = in_a_row(output_KSGLE.permute(1, 3, 0, 2, 4).flatten(2, 3), layout)
    if num_prefix:
        prefix_K1GPE = _attend(
            query_KGTE[:, None, :, :num_prefix],
            key_KTE[:, None, :num_prefix],
            value_KTE[:, None, :num_prefix],
            layout.mask_PP,
        )
        prefix_PHE = prefix_K1GPE[:, 0].flatten(0, 1).transpose(0, 1)
        output_THE = torch.cat([prefix_PHE, output_THE])
    return output_THE[None], None


def _attend(query_KSGLE: Tensor, key_KSAE: Tensor, value_KSAE: Tensor, mask: Tensor) -> Tensor:
    """[K, S, G, L, E]; the G heads that share keys are one matrix.

    Written out: on CPU the fused kernel takes four times as long for so many short sequences.
    """
    shape = query_KSGLE.shape
    scores_KSQA = query_KSGLE.flatten(2, 3) @ key_KSAE.transpose(2, 3)
    scores_KSGLA = scores_KSQA.float().view(*shape[:4], -1) + mask
    weights_KSGLA = torch.softmax(scores_KSGLA, dim=-1).to(value_KSAE.dtype)
    output_KSGLE: Tensor = (weights_KSGLA.flatten(2, 3) @ value_KSAE).reshape(shape)
    return output_KSGLE


class _SideBySide(torch.autograd.Function):
    """Own rows [..., T, E] to [..., S, L, E].

    Beyond a sequence's end nothing is seen by anybody, so no gradient comes from there, and none
    has to be added up: PyTorch's own indexing would, one row after the other.
    """

    @staticmethod
    def forward(ctx: Any, states_xTE: Tensor, layout: Layout) -> Tensor:
        ctx.layout = layout
        shape = (*states_xTE.shape[:-2], *layout.row_SL.shape, states_xTE.shape[-1])
        return states_xTE.index_select(-2, layout.row_SL.flatten()).view(shape)

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, None]:
        layout: Layout = ctx.layout
        own_xOE = outer[0].flatten(-3, -2).index_select(-2, layout.slot_O)
        return nn.functional.pad(own_xOE, (0, 0, layout.num_prefix_tokens, 0)), None


class _InARow(torch.autograd.Function):
    """Back again: [S, L, H, E] to [T - P, H, E]."""

    @staticmethod
    def forward(ctx: Any, states_SLHE: Tensor, layout: Layout) -> Tensor:
        ctx.layout, ctx.shape = layout, states_SLHE.shape
        return states_SLHE.flatten(0, 1).index_select(0, layout.slot_O)

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, None]:
        gradient = outer[0].new_zeros(ctx.shape)
        gradient.flatten(0, 1).index_copy_(0, ctx.layout.slot_O, outer[0])
        return gradient, None


def side_by_side(states_xTE: Tensor, layout: Layout) -> Tensor:
    """[..., T, E] to [..., S, L, E]."""
    rows: Tensor = _SideBySide.apply(states_xTE, layout)  # type: ignore[no-untyped-call]
    return rows


def in_a_row(states_SLHE: Tensor, layout: Layout) -> Tensor:
    """[S, L, H, E] to [T - P, H, E]."""
    rows: Tensor = _InARow.apply(states_SLHE, layout)  # type: ignore[no-untyped-call]
    return rows


AttentionInterface.register(PACKED, packed_attention)
