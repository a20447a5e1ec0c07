"""The layers below the first one with LoRA: no step changes what they compute.

So each sequence goes through them once, and every step begins at their states. That holds for
decoders that are built as Llama's: `layers` in a row, then `norm`, and `inputs_embeds` taken as it
is. Whether the base is one is found out by computing a pack both ways.

Shapes: T tokens of the pack, D hidden size.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from worker.trainer.data import Pack, TokenSequence, pack

# All states together; beyond it every step goes the whole way.
MAX_BYTES = 2**30
# Of float32 sums in another order; bfloat16 rounds more coarsely than that, but the same way.
TOLERANCE = 1e-3


class FrozenLayers:
    """The first layers of a decoder, and their states of every sequence.

    Args:
        decoder: The base's decoder.
        num_layers: How many of its layers have no LoRA.
    """

    def __init__(self, decoder: nn.Module, num_layers: int) -> None:
        self._decoder = decoder
        self._num_layers = num_layers
        self._states: dict[tuple[str, int], Tensor] = {}

    def read(
        self, sequences: Sequence[TokenSequence], pack_tokens: int, device: torch.device
    ) -> None:
        """Compute the states of these sequences; of none where that is not exact, or too much."""
        if self._num_layers == 0 or not sequences:
            return
        packs = pack(sequences, pack_tokens=pack_tokens)
        num_tokens = sum(len(sequence.token_ids) for sequence in sequences)
        if not self._may_keep(packs[0].to(device), num_tokens):
            return
        for part in packs:
            states_TD = self._lower(part.to(device))
            end = part.layout.num_prefix_tokens
            for sequence, num_shared in zip(part.sequences, part.num_shared, strict=True):
                start, end = end, end + len(sequence.token_ids) - num_shared
                own_TD = torch.cat([states_TD[:num_shared], states_TD[start:end]])
                self._states[sequence.group, sequence.index] = own_TD

    def decode(self, part: Pack) -> Tensor:
        """The decoder's output [T, D] for a pack, from the states where it has them."""
        keys = [(sequence.group, sequence.index) for sequence in part.sequences]
        if not all(key in self._states for key in keys):
            return self._forward(part, input_ids=part.input_ids_T[None])
        states = [self._states[key] for key in keys]
        shared_and_own = list(zip(part.num_shared, states, strict=True))
        # The prefix comes from any sequence that begins with it.
        num_prefix, whole_TD = max(shared_and_own, key=lambda pair: pair[0])
        own = [states_TD[num_shared:] for num_shared, states_TD in shared_and_own]
        return self._upper(part, torch.cat([whole_TD[:num_prefix], *own]))

    def _may_keep(self, part: Pack, num_tokens: int) -> bool:
        """Whether so many tokens fit, and a pack comes out the same both ways."""
        with torch.no_grad():
            whole_TD = self._forward(part, input_ids=part.input_ids_T[None])
            try:
                lower_TD = self._lower(part)
                split_TD = self._upper(part, lower_TD)
            except (AttributeError, LookupError, RuntimeError, TypeError, ValueError):
                # Built otherwise; what is wrong with the whole was raised before.
                return False
        fits = num_tokens * lower_TD[0].nbytes <= MAX_BYTES
        return fits and torch.allclose(whole_TD, split_TD, rtol=TOLERANCE, atol=TOLERANCE)

    def _lower(self, part: Pack) -> Tensor:
        with torch.no_grad(), self._only(slice(None, self._num_layers), nn.Identity()):
            return self._forward(part, input_ids=part.input_ids_T[None])

    def _upper(self, part: Pack, states_TD: Tensor) -> Tensor:
        with self._only(slice(self._num_layers, None)):
            return self._forward(part, inputs_embeds=states_TD[None])

    def _forward(self, part: Pack, **inputs: Tensor) -> Tensor:
        output = self._decoder(
            **inputs, position_ids=part.position_ids_T[None], layout=part.layout, use_cache=False
        )
        states_TD: Tensor = output.last_hidden_state[0]
        return states_TD

    @contextmanager
    def _only(self, which: slice, norm: nn.Module | None = None) -> Iterator[None]:
        """Some of the decoder's layers as if there were no others."""
        layers, usual = self._decoder.get_submodule("layers"), self._decoder.get_submodule("norm")
        if not isinstance(layers, nn.ModuleList):
            raise TypeError(f"The decoder's layers are no list but {type(layers).__name__}.")
        self._decoder.layers = layers[which]
        self._decoder.norm = norm or usual
        try:
            yield
        finally:
            self._decoder.layers, self._decoder.norm = layers, usual
