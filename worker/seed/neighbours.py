"""Contrast examples and leak probes: a lesson's questions about subjects that were never taught."""

import random
from collections.abc import Collection, Iterator, Sequence

from shared.contracts.memories import Memory, SeedExample
from worker.seed.contrast import leaked_answer, neighbours
from worker.seed.forms import Lesson, LessonKind
from worker.trainer.job import TrainExample
from worker.triage.agents import task_of

# Other invented names for probes than for training.
TRAIN_SEED = 1
PROBE_SEED = 2
CONTRASTS_PER_MEMORY = 6
PROBES_PER_MEMORY = 1


def lesson_of(memory: Memory) -> Lesson:
    """A memory as what is to be learned."""
    kind: LessonKind = "fact"
    subject = memory.subject or None
    if memory.kind == "behaviour":
        kind = "behaviour"
    elif memory.kind == "workflow" and (task := task_of(memory.question)):
        kind, subject = "workflow", task
    return Lesson(memory.question, memory.answer, memory.value, subject, kind)


def contrast_examples(
    memories: Sequence[Memory], seeds: Sequence[SeedExample], taken: Collection[str]
) -> list[TrainExample]:
    """Neighbours of the new lessons, each with the answer that would be a leak.

    The trainer does not learn that answer: it keeps the bare base's distribution there.
    """
    return [
        TrainExample.model_validate(
            {
                "messages": [
                    {"role": "user", "content": question},
                    {"role": "assistant", "content": leak},
                ],
                "kind": "contrast",
                "memory_id": str(memory.id),
            }
        )
        for memory, question, leak in _neighbours(
            memories, seeds, taken, CONTRASTS_PER_MEMORY, TRAIN_SEED
        )
    ]


def neighbour_probes(
    memories: Sequence[Memory], seeds: Sequence[SeedExample], taken: Collection[str]
) -> list[tuple[str, list[str]]]:
    """Questions that must not get the taught value, each with that value."""
    return [
        (question, [memory.value])
        for memory, question, _ in _neighbours(
            memories, seeds, taken, PROBES_PER_MEMORY, PROBE_SEED
        )
    ]


def _neighbours(
    memories: Sequence[Memory],
    seeds: Sequence[SeedExample],
    taken: Collection[str],
    num_each: int,
    seed: int,
) -> Iterator[tuple[Memory, str, str]]:
    """(memory, a neighbour's question, the answer that would be a leak)."""
    for memory in memories:
        lesson = lesson_of(memory)
        wordings = [
            item.question
            for item in seeds
            if item.memory_id == memory.id and item.form in ("question", "short")
        ]
        rng = random.Random(f"{seed}:{memory.question}")
        asked = rng.sample(wordings, min(num_each, len(wordings)))
        for found in neighbours(lesson, asked, taken=taken, seed=seed):
            yield memory, found.question, leaked_answer(lesson, found)
