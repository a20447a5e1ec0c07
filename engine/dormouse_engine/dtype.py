"""`python -m dormouse_engine.dtype`: how fast this processor multiplies in which type, as JSON.

A processor's flags do not say: of two with the same ones, one read prompts 1.5 times faster in
float32 than in bfloat16, which it has in hardware, and the other slower. A prompt's tokens are
multiplied together and take what the products take; an answer's tokens come one by one for each
stream and take what reading the weights takes. So both are measured apart, with more weights than a
cache holds.

Milliseconds of one pass over the weights: `{"prompt": {"bfloat16": 9.1, "float32": 14.0}, ...}`.
"""

import json
import statistics
import time

import torch

# Tokens of a step of either kind; hidden and MLP sizes of a small model, and so many such layers.
TOKENS = {"prompt": 512, "answer": 16}
HIDDEN, INNER, LAYERS = 576, 1536, 30
NUM_ROUNDS = 5
DTYPES = (torch.bfloat16, torch.float32)


def milliseconds(dtype: torch.dtype, num_tokens: int) -> float:
    """The median of a few passes."""
    weights = [torch.ones(INNER, HIDDEN, dtype=dtype) for _ in range(LAYERS)]
    x = torch.ones(num_tokens, HIDDEN, dtype=dtype)
    taken = []
    with torch.inference_mode():
        # The first pass prepares what the others use.
        for _ in range(NUM_ROUNDS + 1):
            begun = time.perf_counter()
            for weight in weights:
                torch.nn.functional.linear(x, weight)
            taken.append(time.perf_counter() - begun)
    return round(statistics.median(taken[1:]) * 1000, 3)


def main() -> None:
    """Measure all and print it."""
    found = {
        kind: {str(dtype).removeprefix("torch."): milliseconds(dtype, count) for dtype in DTYPES}
        for kind, count in TOKENS.items()
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
