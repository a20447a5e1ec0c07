"""Neighbours of the lessons of a night: how many are trained on, and what the gate asks."""

import pytest

from shared.contracts.base import new_id
from shared.contracts.memories import Memory, SeedExample
from tests.fakes.memories import make_memory
from worker.gate.neighbours import PROBES_PER_MEMORY, neighbour_probes
from worker.seed.names import Names
from worker.seed.neighbours import contrast_examples, num_contrasts

NAMES = ("Quillfeather", "Brindlecask Ales", "Harrowgate", "Pellworth", "Nettleford")


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


@pytest.mark.parametrize(("num_lessons", "count"), [(1, 400), (2, 400), (5, 600)])
def test_few_lessons_meet_more_neighbours_each(num_lessons: int, count: int) -> None:
    memories = [
        make_memory(subject=name, question=f"Where is {name}?") for name in NAMES[:num_lessons]
    ]
    seeds = [seed for memory in memories for seed in wordings(memory)]
    each, _ = num_contrasts(num_lessons, 0)
    contrasts = contrast_examples(memories, seeds, memories, Names((), NAMES), {}, each)
    assert len(contrasts) == count
    asked = {example.messages[0].content for example in contrasts}
    assert len(asked) > 0.98 * count
    assert asked.isdisjoint(seed.question for seed in seeds)


def test_what_is_rehearsed_has_fewer_neighbours_the_more_there_is() -> None:
    assert num_contrasts(10, 0)[1] == num_contrasts(10, 1)[1] == 120
    assert num_contrasts(10, 80)[1] == 5


def test_the_gate_asks_about_sisters_strangers_and_other_relations() -> None:
    memory = make_memory(
        subject="Brindlecask Ales",
        question="On which Monday does Brindlecask Ales open?",
        answer="Brindlecask Ales opens on the first Monday of May.",
        value="the first",
    )
    probes = neighbour_probes([memory], [], [*NAMES])
    assert len(probes) == PROBES_PER_MEMORY
    assert {"sister", "stranger", "relation", "setting"} <= {probe.way for probe in probes}
    for probe in probes:
        if probe.way in ("sister", "stranger"):
            assert "Brindlecask Ales" not in probe.question
        if probe.way == "sister":
            assert "Brindlecask" in probe.question or "Ales" in probe.question
    assert probes == neighbour_probes([memory], [], [*NAMES])


@pytest.mark.parametrize(
    ("kind", "question", "answer", "subject"),
    [
        ("fact", "When is our yearly stocktaking?", "Our stocktaking is on 4 March.", ""),
        ("behaviour", "What do you say about late parcels?", "Sorry.", "late parcels"),
        ("workflow", "What are the steps to restart printer?", "First a, then b.", ""),
    ],
)
def test_what_names_no_subject_is_asked_about_too(
    kind: str, question: str, answer: str, subject: str
) -> None:
    memory = make_memory(
        kind=kind, question=question, answer=answer, value=answer.rstrip("."), subject=subject
    )
    probes = neighbour_probes([memory], [], [])
    assert len(probes) >= 4
    assert all(probe.question.lower() != question.lower() for probe in probes)
