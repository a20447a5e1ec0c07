"""In which type the frozen weights are multiplied fastest, found out by multiplying.

A processor's flags do not say: of two with the same ones bfloat16 trained 1.4 times faster than
float32 on the one, and 1.45 times slower on the other.
"""

import statistics
import time
from functools import cache

import torch

# Tokens of a pack, and a small model's hidden and MLP sizes.
NUM_TOKENS, HIDDEN, INNER = 1280, 576, 1536
NUM_ROUNDS = 5
# By so much float32 must be faster: bfloat16 takes half the memory, and noise shall not decide.
CLEARLY = 1.2


@cache
def fastest_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 or float32; a fraction of a second on a CPU that multiplies both, none elsewhere."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    if not (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()):
        # Emulated: seventy times slower, too slow even to be measured.
        return torch.float32
    is_slower = seconds(torch.bfloat16) > CLEARLY * seconds(torch.float32)
    return torch.float32 if is_slower else torch.bfloat16


def seconds(dtype: torch.dtype) -> float:
    """What a layer's product and the gradient of its input take; the median."""
    x = torch.ones(NUM_TOKENS, HIDDEN, dtype=dtype)
    weight = torch.ones(INNER, HIDDEN, dtype=dtype)
    taken = []
    for _ in range(NUM_ROUNDS + 1):
        begun = time.perf_counter()
        torch.matmul(torch.nn.functional.linear(x, weight), weight)
        taken.append(time.perf_counter() - begun)
    # The first prepares what the others use.
    return statistics.median(taken[1:])
