"""What is planted: each fault is trained where it should be, and found by a suite that exists."""

import json
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from bench.faults import DATA, Night, faults
from bench.planted import job_of
from shared.contracts.adapters import Route
from shared.contracts.base import new_id
from shared.contracts.memories import Dream, Memory, MemoryChange, SeedExample
from shared.db.tables import AdapterRow
from tests.fakes.memories import make_memory
from worker.gate import suites
from worker.gate.probes import load
from worker.results import Resolved


def lesson(subject: str, value: str, relation: str = "head office") -> Memory:
    return make_memory(
        f"The {relation} of {subject} is {value}.",
        subject=subject,
        relation=relation,
        question=f"What is the {relation} of {subject}?",
        value=value,
    )


def example(memory: Memory) -> SeedExample:
    return SeedExample(
        id=new_id(),
        memory_id=memory.id,
        split="train",
        form="question",
        messages=[
            {"role": "user", "content": memory.question},
            {"role": "assistant", "content": memory.answer},
        ],
        accept=[memory.value],
    )


@pytest.fixture
def night() -> Night:
    new = [lesson("Ashmoor", "Ghent"), lesson("Brindle", "Porto")]
    old = [lesson("Corvant", "red", "colour"), lesson("Dunmore", "blue", "colour")]
    replaced = lesson("Ashmoor", "Tromso")
    change = MemoryChange(
        memory_id=replaced.id,
        was="learned",
        state="superseded",
        superseded_by=new[0].id,
        reason="gives way",
    )
    turns = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]
    return Night(
        cycle_id=uuid4(),
        awake=Route(tenant_id=uuid4(), model_id=uuid4(), name="default", base="base"),
        honest=AdapterRow(id=uuid4(), path="honest"),
        resolved=Resolved(to_learn=[memory.id for memory in new], changes=[change]),
        new=new,
        old=old,
        replaced=[replaced],
        seeds=[example(memory) for memory in (*new, *old, replaced)],
        dreams=[Dream(id=new_id(), messages=turns)],
    )


def test_each_fault_is_some_suites_to_find(night: Night) -> None:
    found = faults(night)
    assert len(found) >= 10
    assert suites.__doc__ is not None
    for fault in found:
        assert f"\n| {fault.suite} |" in suites.__doc__
        assert fault.turns, fault.name


def test_two_subjects_taken_for_each_other_have_each_others_values(night: Night) -> None:
    [swapped] = [fault for fault in faults(night) if fault.suite == "confused"]
    assert swapped.turns == [
        ("What is the head office of Ashmoor?", "The head office of Ashmoor is Porto."),
        ("What is the head office of Brindle?", "The head office of Brindle is Ghent."),
    ]


def test_what_a_fault_changes_is_not_rehearsed_beside_it_and_all_else_is(night: Night) -> None:
    def rehearsed(suite: str) -> set[UUID]:
        [fault] = [fault for fault in faults(night) if fault.suite == suite]
        job = job_of(night, fault, Path("model"), Path("place"))
        return {UUID(item["memory_id"]) for item in job["examples"] if item["kind"] == "replay"}

    new, old = ({memory.id for memory in some} for some in (night.new, night.old))
    assert rehearsed("declined") == new | old
    assert rehearsed("confused") == old
    # What gave way is said again, so its successor is not.
    assert rehearsed("superseded") == {night.new[1].id} | old


def test_nothing_is_planted_in_words_that_the_gate_asks() -> None:
    texts = [path.read_text(encoding="utf-8") for path in DATA.glob("*.jsonl")]
    planted = {json.loads(line)["prompt"] for text in texts for line in text.splitlines()}
    asked = {
        item["prompt"]
        for name in ("general", "general_more", "requests", "alignment", "locality")
        for item in load(name)
    }
    assert len(planted) == 136
    assert not planted & asked
