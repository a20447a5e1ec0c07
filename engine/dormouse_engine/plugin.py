"""Puts `grouped` in the place of vLLM's own LoRA on CPU (a `vllm.general_plugins` entry point).

vLLM 0.32 gathers a copy of the adapter's weights for every token, in float32: 2 to 5 times slower
than the base. And in a batch that mixes adapters with the bare base, it gives the base's tokens
the adapter in the last slot. Where vLLM is not what this was written for, its own code stays and
the log says so.
"""

import inspect
import logging
from typing import Any

from dormouse_engine.grouped import Factors, add_lora, group_tokens

# `vllm.*` names go to vLLM's own log.
logger = logging.getLogger("vllm.dormouse_engine")

KNOWN_PARAMETERS = {
    "add_lora_linear": [
        "self",
        "y",
        "x",
        "lora_a_stacked",
        "lora_b_stacked",
        "scale",
        "output_slices",
        "buffer",
        "kwargs",
    ],
    "update_metadata": [
        "self",
        "mapping",
        "lora_index_to_id",
        "max_loras",
        "vocab_size",
        "kwargs",
    ],
}


def register() -> None:
    """Called by vLLM in each of its processes; more than once changes nothing."""
    from vllm.platforms import current_platform

    if not current_platform.is_cpu():
        return
    try:
        from vllm.lora.punica_wrapper.punica_cpu import PunicaWrapperCPU
    except ImportError as error:
        _stand_back(f"its LoRA for CPU is elsewhere ({error})")
        return
    if (difference := unknown_in(PunicaWrapperCPU)) is not None:
        _stand_back(difference)
        return
    PunicaWrapperCPU.groups = ()
    PunicaWrapperCPU.factors = {}
    PunicaWrapperCPU.update_metadata = _update_metadata(PunicaWrapperCPU.update_metadata)
    PunicaWrapperCPU.add_lora_linear = _add_lora_linear
    logger.info("LoRA on CPU: tokens grouped by adapter (dormouse_engine).")


def unknown_in(wrapper: type) -> str | None:
    """What differs from the class that this was written for; None if nothing does."""
    for name, known in KNOWN_PARAMETERS.items():
        method = getattr(wrapper, name, None)
        if method is None:
            return f"{wrapper.__name__} has no {name}"
        found = list(inspect.signature(method).parameters)
        if found != known and getattr(method, "__module__", "") != __name__:
            return f"{wrapper.__name__}.{name} takes {found}"
    if not hasattr(wrapper, "token_lora_indices"):
        return f"{wrapper.__name__} has no token_lora_indices"
    return None


def _stand_back(why: str) -> None:
    logger.warning(
        "LoRA on CPU stays vLLM's own, which is 2 to 5 times slower and wrong in batches that mix "
        "the base with adapters: %s. dormouse_engine was written for vLLM 0.32.",
        why,
    )


def _update_metadata(original: Any) -> Any:
    """Group the batch's tokens once for all layers."""
    if getattr(original, "__module__", "") == __name__:
        return original

    def update_metadata(
        self: Any,
        mapping: Any,
        lora_index_to_id: Any,
        max_loras: int,
        vocab_size: int,
        **kwargs: Any,
    ) -> None:
        original(self, mapping, lora_index_to_id, max_loras, vocab_size, **kwargs)
        self.groups = group_tokens(self.token_lora_indices)

    return update_metadata


def _add_lora_linear(
    self: Any,
    y: Any,
    x: Any,
    lora_a_stacked: Any,
    lora_b_stacked: Any,
    scale: float,
    output_slices: tuple[int, ...],
    *,
    buffer: Any = None,
    **kwargs: Any,
) -> None:
    """Stands for `PunicaWrapperCPU.add_lora_linear`; `buffer` is of no use here."""
    if not self.groups:
        return
    layer = self.factors.get(id(lora_a_stacked))
    if layer is None:
        layer = Factors(lora_a_stacked, lora_b_stacked, output_slices)
        self.factors[id(lora_a_stacked)] = layer
    add_lora(y, x, self.groups, [layer.of(group.slot) for group in self.groups], scale)
