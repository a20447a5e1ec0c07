"""Run by the engine's interpreter: our LoRA beside vLLM's own, on the same numbers.

Prints one JSON object: the largest differences, as shares of the largest change that LoRA makes.
"""

import json
from typing import Any

import torch
from vllm.lora.layers import LoRAMapping
from vllm.lora.punica_wrapper.punica_cpu import PunicaWrapperCPU

NUM_SLOTS, RANK, NUM_IN = 3, 16, 96
SIZES = (64, 32, 32)
# LoRA ids of the slots; a request of id 0 wants the bare base.
IDS: list[int | None] = [11, 12, 13]
BATCHES = {
    "decode": (11, 12, 13, 11, 12),
    "prefill": (11,) * 40 + (13,) * 25 + (12,) * 7,
    "one": (12,),
}
MIXED = (0, 11, 0, 13, 13, 0)


def outputs(batch: tuple[int, ...]) -> torch.Tensor:
    """What a fresh wrapper adds to a layer's output, which is zero here."""
    torch.manual_seed(len(batch))
    a = tuple(torch.randn(NUM_SLOTS, 1, RANK, NUM_IN, dtype=torch.bfloat16) for _ in SIZES)
    b = tuple(torch.randn(NUM_SLOTS, 1, size, RANK, dtype=torch.bfloat16) for size in SIZES)
    x = torch.randn(len(batch), NUM_IN, dtype=torch.bfloat16)
    y = torch.zeros(len(batch), sum(SIZES), dtype=torch.bfloat16)
    wrapper: Any = PunicaWrapperCPU(512, 64, "cpu")
    wrapper.update_metadata(LoRAMapping(batch, batch, is_prefill=True), IDS, NUM_SLOTS, 1000)
    wrapper.add_lora_linear(y, x, a, b, 1.0, SIZES)
    return y.float()


def main() -> None:
    theirs = {name: outputs(batch) for name, batch in BATCHES.items()}
    their_mixed = outputs(MIXED)
    from dormouse_engine.plugin import register

    register()
    register()  # vLLM may call it more than once
    ours = {name: outputs(batch) for name, batch in BATCHES.items()}
    our_mixed = outputs(MIXED)
    base = [index for index, lora_id in enumerate(MIXED) if lora_id == 0]
    adapted = [index for index, lora_id in enumerate(MIXED) if lora_id != 0]
    print(
        json.dumps(
            {
                "difference": {
                    name: float((ours[name] - theirs[name]).abs().max() / theirs[name].abs().max())
                    for name in BATCHES
                },
                "mixed_adapted": float(
                    (our_mixed - their_mixed)[adapted].abs().max() / their_mixed.abs().max()
                ),
                "ours_on_base": float(our_mixed[base].abs().max()),
                "theirs_on_base": float(their_mixed[base].abs().max()),
            }
        )
    )


if __name__ == "__main__":
    main()
