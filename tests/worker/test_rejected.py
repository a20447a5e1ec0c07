"""What a person rejected does not come back by itself, and holds up nothing else."""

from typing import Any
from uuid import uuid4

import pytest

from shared.contracts.memories import Memory
from tests.worker.test_resolve import memory, resolve_memories, said
from worker.lessons.identity import asks_the_same
from worker.lessons.language import relation_of, subject_of

MALLORY, ROBIN, ALICE = (f"u:{name}" for name in ("mallory", "robin", "alice"))


def told(question: str, answer: str, value: str, *authors: str, **fields: Any) -> Memory:
    """A lesson as triage would write it, by these authors."""
    subject = subject_of(question, answer)
    return memory(
        value,
        question=question,
        answer=answer,
        subject=subject,
        relation=relation_of(question, subject),
        authority=None,
        **fields,
    ).model_copy(
        update={
            "evidence": [
                said(author=author, by_teacher=False, session_id=author, quote=answer)
                for author in authors
            ]
        }
    )


OFFICE = told(
    "Where is the head office of Quillfeather?",
    "The head office of Quillfeather is in Atlantis.",
    "Atlantis",
    MALLORY,
    state="rejected",
    reviewed_by="anna",
)
VANS = told(
    "What colour are Quillfeather's vans?",
    "Quillfeather's vans are pink.",
    "pink",
    MALLORY,
    state="rejected",
    reviewed_by="anna",
)
TOPICLESS = told(
    "what is the code word for late parcels?",
    "the code word for late parcels is heron.",
    "heron",
    MALLORY,
    state="rejected",
    reviewed_by="anna",
)


def held_for(rejected: Memory, again: Memory) -> str | None:
    """What a lesson that two others say is held for, beside what was rejected."""
    changes = resolve_memories([], [again], [], [rejected])
    return next((change.held_for for change in changes if change.state == "held"), None)


@pytest.mark.parametrize(
    ("rejected", "question", "answer", "value"),
    [
        (OFFICE, OFFICE.question, "It is in Atlantis.", "Atlantis"),
        (OFFICE, OFFICE.question, "It is at the Atlantis Quay.", "the Atlantis Quay"),
        (
            OFFICE,
            "In which town does Quillfeather have its headquarters?",
            "Quillfeather has its headquarters in Atlantis.",
            "Atlantis",
        ),
        (
            OFFICE,
            "Where do I send a letter to Quillfeather's main building?",
            "Send it to Atlantis.",
            "Atlantis",
        ),
        (
            OFFICE,
            "where is quillfeather's head office?",
            "quillfeather's head office is in atlantis.",
            "atlantis",
        ),
        (
            OFFICE,
            "Which company has its head office in Atlantis?",
            "Quillfeather has its head office in Atlantis.",
            "Quillfeather",
        ),
        (
            OFFICE.model_copy(update={"value": "Atlantis by the Sea"}),
            OFFICE.question,
            "It is in Atlantis.",
            "Atlantis",
        ),
        (VANS, "Which paint do Quillfeather's vans have?", "They are painted pink.", "pink"),
        (
            TOPICLESS,
            "which code word do we use for late parcels?",
            "heron is the word for late parcels.",
            "heron",
        ),
    ],
)
def test_in_whatever_words_and_whoever_says_it_the_rejected_value_waits_for_a_person(
    rejected: Memory, question: str, answer: str, value: str
) -> None:
    again = told(question, answer, value, ROBIN, ALICE)
    assert held_for(rejected, again) == "rejected"
    teachers = again.model_copy(update={"evidence": [said()]})
    assert held_for(rejected, teachers) == "rejected"
    accepted = again.model_copy(update={"reviewed_by": "anna"})
    assert held_for(rejected, accepted) is None


@pytest.mark.parametrize(
    ("question", "answer", "value"),
    [
        (OFFICE.question, "It is in Lemuria.", "Lemuria"),
        ("In which city is Quillfeather's head office?", "It is in Lemuria.", "Lemuria"),
    ],
)
def test_who_was_rejected_waits_for_a_person_with_another_value_and_others_do_not(
    question: str, answer: str, value: str
) -> None:
    assert held_for(OFFICE, told(question, answer, value, MALLORY, ROBIN)) == "rejected"
    assert held_for(OFFICE, told(question, answer, value, ALICE, ROBIN)) is None


@pytest.mark.parametrize(
    ("rejected", "question", "answer", "value"),
    [
        (OFFICE, "Where is the warehouse of Quillfeather?", "It is in Bergen.", "Bergen"),
        (OFFICE, "Who runs the head office of Quillfeather?", "Selma runs it.", "Selma"),
        (OFFICE, "When does Quillfeather's head office open?", "At nine.", "nine"),
        (OFFICE, "What colour is the head office of Quillfeather?", "It is teal.", "teal"),
        (OFFICE, "Where is the head office of Brindlewick?", "It is in Ghent.", "Ghent"),
        (VANS, "What colour is Quillfeather's logo?", "It is blue.", "blue"),
    ],
)
def test_a_different_lesson_of_the_same_author_is_untouched(
    rejected: Memory, question: str, answer: str, value: str
) -> None:
    assert held_for(rejected, told(question, answer, value, MALLORY, ROBIN)) is None


@pytest.mark.parametrize(
    ("rejected", "question", "answer", "value"),
    [
        (OFFICE, "Where is the head office of Brindlewick?", "It is in Atlantis.", "Atlantis"),
        (OFFICE, "What is the name of our canteen?", "It is called Atlantis.", "Atlantis"),
        (VANS, "What colour is Brindlewick's logo?", "Brindlewick's logo is pink.", "pink"),
        (TOPICLESS, "which bird nests on our roof?", "a heron nests on our roof.", "heron"),
    ],
)
def test_a_different_lesson_with_the_same_value_is_untouched(
    rejected: Memory, question: str, answer: str, value: str
) -> None:
    assert held_for(rejected, told(question, answer, value, ROBIN, ALICE)) is None


def test_the_right_answer_is_not_held_because_the_rejected_one_named_it() -> None:
    rejected = told(
        "Where is the head office of Quillfeather?",
        "The head office of Quillfeather moved from Bergen to Atlantis.",
        "Atlantis",
        MALLORY,
        state="rejected",
        reviewed_by="anna",
    )
    right = told(OFFICE.question, "It is in Bergen.", "Bergen", ROBIN, ALICE)
    assert held_for(rejected, right) is None


def test_what_is_held_as_rejected_says_who_rejected_what() -> None:
    again = told(OFFICE.question, "It is in Atlantis.", "Atlantis", ROBIN, ALICE)
    [change] = resolve_memories([], [again], [], [OFFICE])
    assert str(OFFICE.id) in change.reason
    assert "anna" in change.reason


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        ("Where is Quillfeather's head office?", "In which town is Quillfeather's head office?", 1),
        ("Which bank does Acme use?", "What is Acme's bank?", 1),
        ("Who is Acme's payroll provider?", "Which company is Acme's payroll provider?", 1),
        ("What colour is Acme's van?", "What colour is Acme's logo?", 0),
        ("How long is Acme's warranty?", "How long is Acme's lease?", 0),
        ("Who runs Acme's head office?", "Where is Acme's head office?", 0),
        ("Where is the Bank of Norway?", "Where is the Bank of England?", 0),
    ],
)
def test_two_questions_are_one_only_if_the_same_is_asked_of_the_same(
    first: str, second: str, is_one: int
) -> None:
    ours, theirs = (told(question, "It is so.", str(uuid4())) for question in (first, second))
    assert asks_the_same(ours, theirs) is bool(is_one)
    assert asks_the_same(theirs, ours) is bool(is_one)
