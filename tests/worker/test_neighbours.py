"""Neighbours of the lessons of a night: how many are trained on, and how many the gate asks."""

import pytest

from shared.contracts.base import new_id
from shared.contracts.memories import Memory, SeedExample
from tests.fakes.memories import make_memory
from worker.seed.neighbours import contrast_examples, neighbour_probes

NAMES = ("Quillfeather", "Brindlecask", "Harrowgate", "Pellworth", "Nettleford")


def wordings(memory: Memory) -> list[SeedExample]:
    return [
        SeedExample(
            id=new_id(),
            memory_id=memory.id,
            split="train",
            form="question",
            messages=[
                {"role": "user", "content": f"In {number} words: where is {memory.subject}?"},
                {"role": "assistant", "content": memory.answer},
            ],
            accept=[memory.value],
        )
        for number in range(40)
    ]


@pytest.mark.parametrize(
    ("num_lessons", "num_contrasts", "num_probes"), [(1, 24, 4), (2, 24, 4), (3, 24, 6), (5, 30, 5)]
)
def test_few_lessons_meet_more_neighbours_each(
    num_lessons: int, num_contrasts: int, num_probes: int
) -> None:
    memories = [make_memory(subject=name) for name in NAMES[:num_lessons]]
    seeds = [seed for memory in memories for seed in wordings(memory)]
    contrasts = contrast_examples(memories, seeds, NAMES)
    probes = neighbour_probes(memories, seeds, NAMES)
    assert (len(contrasts), len(probes)) == (num_contrasts, num_probes)
    trained = {example.messages[0].content for example in contrasts}
    assert len(trained) == num_contrasts
    assert trained.isdisjoint(question for question, _ in probes)
    asked = " ".join([*trained, *(question for question, _ in probes)])
    assert not any(name in asked for name in NAMES)
