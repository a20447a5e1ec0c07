"""Reads a turn where no rule does: two linear models over what can be said of it in words.

Logistic regression, fitted by `bench/reader.py` on the labelled conversations of `bench/data`. The
weights in `reader.json` are of words and shapes and can be read; each reading names what weighed
most.
"""

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from worker.triage.features import features

WEIGHTS = Path(__file__).with_name("reader.json")
# Above it a turn is a lesson: too little is learned rather than too much.
SURE = 0.6
NUM_NAMED = 3


@dataclass(frozen=True)
class Reading:
    """How likely something holds of a turn (0 to 1), and what weighed most for it."""

    probability: float
    because: tuple[str, ...]

    @property
    def is_sure(self) -> bool:
        """Whether it is likely enough to act on."""
        return self.probability > SURE


@dataclass(frozen=True)
class Reader:
    """Weights in log-odds: of every turn, and of each thing that may be true of it."""

    bias: float
    weights: Mapping[str, float]

    def weigh(self, found: Collection[str]) -> Reading:
        """The reading of a turn of which these are true; what has no weight says nothing."""
        weighed = {name: self.weights[name] for name in found if name in self.weights}
        log_odds = self.bias + math.fsum(weighed.values())
        heaviest = sorted(weighed, key=lambda name: (-weighed[name], name))
        because = tuple(name for name in heaviest[:NUM_NAMED] if weighed[name] > 0)
        return Reading(probability=1 / (1 + math.exp(-log_odds)), because=because)


@cache
def _fitted() -> tuple[Reader, Reader]:
    fitted = json.loads(WEIGHTS.read_text())
    return Reader(**fitted["lasting"]), Reader(**fitted["brief"])


def read(said: str, question: str | None = None, reply: str = "") -> tuple[Reading, Reading]:
    """Whether a turn teaches what lasts, and whether what it says holds for now or for one person.

    `features` names the arguments.
    """
    found = features(said, question, reply)
    lasting, brief = _fitted()
    return lasting.weigh(found), brief.weigh(found)
