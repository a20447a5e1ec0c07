"""Lessons that are taken for each other, found among the answers that were asked for anyway."""

from collections.abc import Mapping

import pytest

from shared.contracts.memories import Memory
from tests.fakes.memories import make_memory
from worker.gate.confused import confusions, judge_confused
from worker.gate.leaks import LeakSuite, to_take_out
from worker.gate.probes import Probe

TOWNS = ("Tromso", "Ghent", "Porto", "Oslo")


@pytest.fixture
def lessons() -> list[Memory]:
    return [
        make_memory(town).model_copy(update={"subject": f"House {number}"})
        for number, town in enumerate(TOWNS)
    ]


def probes(lessons: list[Memory], each: int = 2) -> list[Probe]:
    return [
        Probe(f"Wording {at} of {lesson.subject}?", (lesson.value,), lesson.id)
        for lesson in lessons
        for at in range(each)
    ]


def answers(asked: list[Probe], said: Mapping[int, str]) -> dict[str, str]:
    """Each probe's own value, but where another is said."""
    return {
        probe.question: f"It is in {said.get(at, probe.accept[0])}."
        for at, probe in enumerate(asked)
    }


@pytest.mark.parametrize(
    ("said", "passes"),
    [
        ({}, True),
        # One of two wordings; the other is right.
        ({0: "Ghent"}, True),
        ({0: "Ghent", 1: "Ghent"}, False),
        # What nobody taught is wrong, and no confusion.
        ({0: "Rome", 1: "Rome"}, True),
        # Its own is said beside it.
        ({0: "Tromso, not in Ghent", 1: "Tromso, not in Ghent"}, True),
    ],
)
def test_no_lesson_is_taken_for_another(
    lessons: list[Memory], said: dict[int, str], passes: bool
) -> None:
    asked = probes(lessons)
    found = confusions(asked, lessons, answers(asked, {}), answers(asked, said))
    result = judge_confused(found)
    assert (result.passed, result.num_probes) == (passes, 8)


def test_what_the_active_one_confuses_already_is_not_the_candidates_fault(
    lessons: list[Memory],
) -> None:
    asked = probes(lessons)
    confused = answers(asked, {0: "Ghent", 1: "Ghent"})
    assert judge_confused(confusions(asked, lessons, confused, confused)).passed


def test_a_value_that_stands_in_the_question_or_in_the_right_answer_is_no_confusion(
    lessons: list[Memory],
) -> None:
    wider = make_memory("Ghent and Porto")
    asked = [Probe(f"Is Oslo one of them, {at}?", (wider.value,), wider.id) for at in range(2)]
    said = answers(asked, {0: "Ghent", 1: "Oslo"})
    found = confusions(asked, [*lessons, wider], answers(asked, {}), said)
    assert not any(each.after for each in found)


def test_a_new_lesson_that_an_old_one_is_taken_for_is_what_is_taken_out(
    lessons: list[Memory],
) -> None:
    asked = probes(lessons)
    new = lessons[1]
    # The first is old, and gets the new one's value.
    said = answers(asked, {0: "Ghent", 1: "Ghent"})
    found = confusions(asked, lessons, answers(asked, {}), said)
    suite = LeakSuite(tuple(found), judge_confused)
    assert to_take_out([suite.result()], [suite], [new.id, lessons[2].id]) == [new.id]
    assert to_take_out([suite.result()], [suite], [lessons[2].id, lessons[3].id]) == []
