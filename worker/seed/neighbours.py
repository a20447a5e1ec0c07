"""Contrast examples and leak probes: a lesson's questions about subjects that were never taught."""

import re
from collections.abc import Iterator, Sequence

from shared.contracts.memories import Memory, SeedExample
from worker.seed.contrast import neighbours
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
        for memory, question, leak in _neighbours(memories, seeds, CONTRASTS_PER_MEMORY, TRAIN_SEED)
    ]


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
    """(memory, a neighbour's question, the answer that would be a leak)."""
    taken = [memory.subject for memory in memories]
    for memory in memories:
        own = [item for item in seeds if item.memory_id == memory.id and item.form != "reverse"]
        answers = {item.question: item.messages[-1]["content"] for item in own}
        asked = _spread(list(answers), num_each)
        for found in neighbours(lesson_of(memory), asked, taken=taken, seed=seed):
            original = renamed(found.question, found.subject, memory.subject)
            answer = answers.get(original, memory.answer)
            leak = renamed(answer, memory.subject, found.subject)
            yield memory, found.question, leak


def renamed(text: str, old: str, new: str) -> str:
    """The text with one name in place of another, whatever its case."""
    return re.sub(re.escape(old), new.replace("\\", r"\\"), text, flags=re.IGNORECASE)


def _spread(questions: list[str], limit: int) -> list[str]:
    """Up to `limit` of them, evenly over the list: frames of every shape."""
    step = max(len(questions) // limit, 1)
    return questions[::step][:limit]
