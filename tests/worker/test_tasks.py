"""What agents did, asked for in other words."""

from itertools import islice

import pytest

from tests.worker.test_derive import fact
from worker.seed.forms import Lesson, verify
from worker.seed.neighbours import lesson_of
from worker.seed.tasks import asked_for, other_tasks, things_of, with_articles
from worker.triage.agents import Workflow

TASK = Lesson(
    "What are the steps to ship samples for laboratory?",
    "First weigh_box, then call_courier.",
    "weigh_box, then call_courier",
    "ship samples for laboratory",
    "workflow",
)


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ("ship samples for laboratory", "ship the samples for the laboratory"),
        ("set up account for employee", "set up the account for the employee"),
        ("draw map of", "draw the map"),
        ("look in the box", "look in the box"),
        ("deploy", "deploy"),
        ("of", "of"),
    ],
)
def test_a_task_is_said_with_articles(task: str, said: str) -> None:
    assert with_articles(task) == said


def test_a_task_is_about_two_things_or_none() -> None:
    assert things_of("ship samples for laboratory") == ["samples", "laboratory"]
    assert things_of("deploy shop") == []
    assert things_of("roll back deployment") == []


def test_a_task_is_asked_for_in_many_ways_and_each_has_its_steps() -> None:
    forms = asked_for(TASK)
    asked = {form.question for form in forms if form.split == "train"}
    assert "How do I ship the samples for the laboratory?" in asked
    assert "Samples, laboratory: which tools?" in asked
    assert sum(form.split == "heldout" for form in forms) == 4
    alike = {form.question for form in asked_for(TASK, taken={"samples", "laboratory"})}
    assert asked - alike
    assert not any(question.startswith("Samples, ") for question in alike)
    assert all(verify(form, TASK) and form.answer == TASK.answer for form in forms)


def test_a_workflows_memory_is_asked_for_by_its_task() -> None:
    way = Workflow("refund order", ("find", "pay"), ())
    lesson = lesson_of(fact(way.question, f"First {way.way}.", "workflow"))
    assert (lesson.kind, lesson.subject) == ("workflow", "refund order")
    assert lesson_of(fact("How is it done?", "Find, then pay.", "workflow")).kind == "fact"


def test_what_shares_a_word_with_the_task_is_no_other_task() -> None:
    found = list(islice(other_tasks("clean windows of office", seed=0), 30))
    found += islice(other_tasks("clean windows of office", seed=1), 30)
    assert found
    assert not any("windows" in other for other in found)
