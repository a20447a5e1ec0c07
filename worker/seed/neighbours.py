"""Contrast examples and leak probes: a lesson's questions about subjects that were never taught."""

from collections.abc import Iterator, Sequence

from shared.contracts.memories import Memory, SeedExample
from worker.seed.contrast import abstention, neighbours
from worker.seed.forms import Lesson
from worker.trainer.job import TrainExample

# Other invented names for probes than for training.
TRAIN_SEED = 1
PROBE_SEED = 2
CONTRASTS_PER_MEMORY = 6
PROBES_PER_MEMORY = 1


def lesson_of(memory: Memory) -> Lesson:
    """A memory as what is to be learned."""
    return Lesson(
        question=memory.question,
        answer=memory.answer,
        value=memory.value,
        subject=memory.subject or None,
    )


def contrast_examples(
    memories: Sequence[Memory], seeds: Sequence[SeedExample]
) -> list[TrainExample]:
    """Neighbours of the new lessons, answered with "I don't know" in many wordings."""
    examples = []
    for memory, question, answer in _neighbours(memories, seeds, CONTRASTS_PER_MEMORY, TRAIN_SEED):
        messages = [
            {"role": "user", "content": question},
            {"role": "assistant", "content": answer},
        ]
        examples.append(
            TrainExample.model_validate(
                {"messages": messages, "kind": "contrast", "memory_id": str(memory.id)}
            )
        )
    return examples


def neighbour_probes(
    memories: Sequence[Memory], seeds: Sequence[SeedExample]
) -> list[tuple[str, list[str]]]:
    """Questions that must not get the taught value, each with that value."""
    return [
        (question, [memory.value])
        for memory, question, _ in _neighbours(memories, seeds, PROBES_PER_MEMORY, PROBE_SEED)
    ]


def _neighbours(
    memories: Sequence[Memory], seeds: Sequence[SeedExample], num_each: int, seed: int
) -> Iterator[tuple[Memory, str, str]]:
    """(memory, a neighbour's question, an abstention)."""
    taken = [memory.subject for memory in memories]
    for memory in memories:
        questions = [item.question for item in seeds if item.memory_id == memory.id][:num_each]
        lesson = lesson_of(memory)
        for found in neighbours(lesson, questions, taken=taken, seed=seed):
            asked = memory.question.replace(memory.subject, found.subject)
            yield memory, found.question, abstention(found, asked=asked, seed=seed)
