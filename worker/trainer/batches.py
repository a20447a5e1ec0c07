"""What each step trains on; of the replays, what the student is about to forget."""

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from worker.trainer.data import TokenSequence
from worker.trainer.job import Recipe

T = TypeVar("T")

# For so many steps replays are chosen at once.
WINDOW_STEPS = 5

# How badly the student does on each sequence; higher is worse.
Surprise = Callable[[Sequence[TokenSequence]], Sequence[float]]


@dataclass(frozen=True)
class Material:
    """Everything that is trained on or measured, tokenized."""

    seeds: tuple[TokenSequence, ...]
    replays: tuple[TokenSequence, ...]
    contrasts: tuple[TokenSequence, ...]
    dreams: tuple[TokenSequence, ...]
    holdout_dreams: tuple[TokenSequence, ...]

    @property
    def all(self) -> tuple[TokenSequence, ...]:
        """Every sequence."""
        return (
            *self.seeds,
            *self.replays,
            *self.contrasts,
            *self.dreams,
            *self.holdout_dreams,
        )


class Batches:
    """Each step's mix; every group is walked through in random order again and again.

    Replays are the exception: of `candidates_per_replay` times as many that are drawn, those are
    taken that surprise the student most (SuRe, arXiv 2511.22367).

    Attributes:
        pending: The replays chosen for the next steps, by their place among the material's; what
            a run needs, besides the number of its steps, to go on.
    """

    def __init__(self, material: Material, recipe: Recipe) -> None:
        """Begin before the first step."""
        rng = random.Random(recipe.seed)
        self.pending: list[int] = []
        self._replays = material.replays
        self._num_replays = recipe.replays_in_step(len(material.replays))
        self._num_candidates = recipe.candidates_per_replay * self._num_replays * WINDOW_STEPS
        self._places = shuffled_forever(range(len(material.replays)), rng)
        self._parts = [
            (shuffled_forever(group, rng), min(count, len(group)))
            for group, count in (
                (material.seeds, recipe.seeds_in_step(len(material.seeds))),
                (material.contrasts, recipe.contrasts_per_step),
                (material.dreams, recipe.dreams_in_step(len(material.replays))),
            )
        ]

    def next(self, surprise: Surprise) -> list[TokenSequence]:
        """The sequences of the next step."""
        if not self.pending:
            self.pending = self._choose(surprise)
        chosen, self.pending = (
            self.pending[: self._num_replays],
            self.pending[self._num_replays :],
        )
        return [*self._draw(), *(self._replays[place] for place in chosen)]

    def skip(self, num_steps: int, pending: Sequence[int]) -> None:
        """Go on behind that many steps, with the replays that were pending then."""
        for step in range(num_steps):
            if step % WINDOW_STEPS == 0:
                self._candidates()
            self._draw()
        self.pending = list(pending)

    def _draw(self) -> list[TokenSequence]:
        return [next(part) for part, count in self._parts for _ in range(count)]

    def _candidates(self) -> list[int]:
        """Different places; fewer where there are not so many."""
        return list(dict.fromkeys(itertools.islice(self._places, self._num_candidates)))

    def _choose(self, surprise: Surprise) -> list[int]:
        places = self._candidates()
        losses = surprise([self._replays[place] for place in places]) if places else []
        worst_first = [
            place
            for _, place in sorted(zip(losses, places, strict=True), key=lambda pair: -pair[0])
        ]
        taken = list(
            itertools.islice(itertools.cycle(worst_first), self._num_replays * WINDOW_STEPS)
        )
        # Each step of the window gets some of the worst.
        return [place for step in range(WINDOW_STEPS) for place in taken[step::WINDOW_STEPS]]


def shuffled_forever(items: Sequence[T], rng: random.Random) -> Iterator[T]:
    """Every item once in a random order, then again in another, without end."""
    while items:
        order = list(items)
        rng.shuffle(order)
        yield from order
