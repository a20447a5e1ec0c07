"""Two linear classifiers over a lesson's features, fitted by `bench/screens.py`.

`private` tells secrets and personal data from the rest, `risky` everything that needs a person from
plain facts. The thresholds lie where the bench puts them: few clean lessons are doubted for
privacy; of what needs a person nearly nothing passes, and a good part of the plain facts is held
with it.
"""

from functools import cache
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from worker.screens.features import features

WEIGHTS = Path(__file__).with_name("classifiers.safetensors")


def is_private(question: str, said: str) -> bool:
    """Whether an answer probably holds a secret or personal data."""
    return _is_above("private", question, said)


def is_risky(question: str, said: str) -> bool:
    """Whether an answer may be more than a plain fact."""
    return _is_above("risky", question, said)


def _is_above(head: str, question: str, said: str) -> bool:
    weights = _weights()
    score = features(question, said) @ weights[f"{head}.weight"].astype(np.float32)
    return bool(score > weights[f"{head}.threshold"][0])


@cache
def _weights() -> "dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]":
    found: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]] = load_file(WEIGHTS)
    return found
