"""Neighbours of the lessons of a night: how many are trained on, and what the gate asks."""

import pytest

from shared.contracts.base import new_id
from shared.contracts.memories import Memory, SeedExample
from tests.fakes.memories import make_memory
from worker.gate.neighbours import (
    PROBES_PER_MEMORY,
    detail_probes,
    neighbour_probes,
    stranger_probes,
)
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


def test_the_gate_asks_about_sisters_and_other_relations() -> None:
    memory = make_memory(
        subject="Brindlecask Ales",
        question="On which Monday does Brindlecask Ales open?",
        answer="Brindlecask Ales opens on the first Monday of May.",
        value="the first",
    )
    probes = neighbour_probes([memory], [], [*NAMES])
    assert len(probes) == PROBES_PER_MEMORY
    assert {"sister", "relation", "setting"} <= {probe.way for probe in probes}
    for probe in probes:
        if probe.way == "sister":
            assert "Brindlecask Ales" not in probe.question
            assert "Brindlecask" in probe.question or "Ales" in probe.question
    assert probes == neighbour_probes([memory], [], [*NAMES])


@pytest.mark.parametrize(
    ("question", "subject", "kept"),
    [
        ("What colour are the vans of Wrenholt?", "Wrenholt", "What colour are the"),
        ("How many beds does Fox Hostel have?", "Fox Hostel", "How many"),
        ("In which month does the year of Old Weir begin?", "Old Weir", "In which month does the"),
    ],
)
def test_a_detail_is_another_thing_of_the_very_subject(
    question: str, subject: str, kept: str
) -> None:
    memory = make_memory(subject=subject, question=question, value="teal")
    details = [probe.question for probe in detail_probes([memory], [])]
    assert len(details) >= 2
    for text in details:
        assert subject in text
        assert text.startswith(kept)
        assert text != question
        assert len(text.split()) == len(question.split())


@pytest.mark.parametrize("kind", ["behaviour", "workflow"])
def test_what_gives_orders_has_no_details(kind: str) -> None:
    memory = make_memory(subject="late parcels", question="What about late parcels?", kind=kind)
    assert detail_probes([memory], []) == []


def test_of_a_name_of_one_word_a_sister_keeps_a_half() -> None:
    memory = make_memory(subject="Quillfeather", question="Who founded Quillfeather?", value="Voss")
    sisters = [p.question for p in neighbour_probes([memory], [], []) if p.way == "sister"]
    assert len(sisters) >= 2
    assert all("Quillf" in text or "eather" in text for text in sisters)
    assert not any("Quillfeather" in text for text in sisters)


@pytest.mark.parametrize(("num_lessons", "num_probes"), [(1, 4), (2, 4), (5, 5)])
def test_few_lessons_are_asked_about_more_strangers_each(num_lessons: int, num_probes: int) -> None:
    memories = [
        make_memory(subject=name, question=f"Where is {name}?") for name in NAMES[:num_lessons]
    ]
    probes = stranger_probes(memories, [], NAMES)
    assert len(probes) == num_probes
    asked = " ".join(probe.question for probe in probes)
    assert not any(word in asked for name in NAMES for word in name.split())


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
