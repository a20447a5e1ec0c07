"""What each step trains on."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from worker.trainer.data import TokenSequence
from worker.trainer.job import Recipe

T = TypeVar("T")


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
    """Each step's mix; every group is walked through in random order again and again."""

    def __init__(self, material: Material, recipe: Recipe) -> None:
        """Begin before the first step."""
        rng = random.Random(recipe.seed)
        num_replays = len(material.replays)
        self._parts = [
            (shuffled_forever(group, rng), min(count, len(group)))
            for group, count in (
                (material.seeds, recipe.seeds_in_step(len(material.seeds))),
                (material.replays, recipe.replays_in_step(num_replays)),
                (material.contrasts, recipe.contrasts_per_step),
                (material.dreams, recipe.dreams_in_step(num_replays)),
            )
        ]

    def next(self) -> list[TokenSequence]:
        """The sequences of the next step."""
        return [next(part) for part, count in self._parts for _ in range(count)]

    def skip(self, num_steps: int) -> None:
        """Go on behind that many steps."""
        for _ in range(num_steps):
            self.next()


def shuffled_forever(items: Sequence[T], rng: random.Random) -> Iterator[T]:
    """Every item once in a random order, then again in another, without end."""
    while items:
        order = list(items)
        rng.shuffle(order)
        yield from order
