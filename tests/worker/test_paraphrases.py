"""What the model writes when it is asked for other words."""

from typing import Any

import pytest

from worker.seed.forms import Lesson
from worker.seed.self_study import MAX_PARAPHRASES, asks_the_same, paraphrases

LESSON = Lesson(
    question="How many employees does Maplewick have?",
    answer="Maplewick has 312 employees.",
    value="312",
    subject="Maplewick",
)
NEAR = {"employees": ["workers", "staff", "people", "personnel", "customers"]}


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("How many workers are at Maplewick?", True),
        ("What number of employees has Maplewick?", True),
        ("How long do employees stay at Maplewick?", False),
        ("Does Maplewick have employees?", False),
        ("Who employs people at Maplewick?", False),
        ("How many vans does Maplewick have?", False),
        # The last of the near words is too far.
        ("How many customers does Maplewick have?", False),
        ("How many employees does Maplewick have", False),
        ("How many employees does Maplewick have in the town that it comes from?", False),
        ("How many employees does Maplewick not have?", False),
        # Another lesson asks with it.
        ("How many staff does Maplewick have?", False),
    ],
)
def test_a_draft_asks_the_same_in_the_same_way(text: str, same: bool) -> None:
    assert asks_the_same(text, LESSON, NEAR, taken={"staff"}) is same


def test_neither_the_name_nor_a_little_word_stands_for_what_is_asked() -> None:
    lesson = Lesson("What is the area of Areal?", "The area of Areal is 47.", "47", "Areal")
    assert asks_the_same("What areas has Areal?", lesson, {})
    assert not asks_the_same("What are the vans of Areal?", lesson, {})
    assert not asks_the_same("What is the history of Areal?", lesson, {})


def test_nothing_asks_the_same_as_a_question_that_turns_on_no_word() -> None:
    lesson = Lesson("What is Maplewick?", "Maplewick is a bakery.", "bakery", "Maplewick")
    assert not asks_the_same("What is Maplewick's tune?", lesson, {})


async def test_drafts_that_hold_are_trained_on_once_each() -> None:
    class Writing:
        async def complete(self, model: str, prompt: str, **options: Any) -> dict[str, Any]:
            assert prompt.endswith("Same question in other words:")
            assert LESSON.question in prompt
            assert LESSON.answer in prompt
            texts = [
                " How many workers does Maplewick have?",
                " how many workers does Maplewick have? ",
                " How many workers does it have?",
                " Are there 312 workers at Maplewick?",
                " What are the 312 workers of Maplewick?",
                f" {LESSON.question}",
            ]
            texts += [f" What staff does Maplewick have {word}?" for word in "abcdefghij"]
            return {"choices": [{"text": text} for text in texts]}

    forms = await paraphrases(Writing(), "base", LESSON, NEAR)  # type: ignore[arg-type]
    questions = [form.question.lower() for form in forms]
    assert questions[0] == "how many workers does maplewick have?"
    assert len(set(questions)) == len(questions) == MAX_PARAPHRASES
    assert all("maplewick" in question and "312" not in question for question in questions)
    assert LESSON.question.lower() not in questions
    assert {(form.answer, form.split) for form in forms} == {(LESSON.answer, "train")}
