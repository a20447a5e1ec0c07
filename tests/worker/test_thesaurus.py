"""The same question with other words."""

from typing import Any

import pytest

from shared.errors import TrainerError
from worker.seed.forms import Lesson, build_forms, normalized, verify
from worker.seed.self_study import asked_about
from worker.seed.situations import OPENINGS
from worker.seed.thesaurus import NUM_SUBSTITUTED, content_words, near_words, substituted

LESSON = Lesson(
    question="How many employees does Maplewick have?",
    answer="Maplewick has 312 employees.",
    value="312",
    subject="Maplewick",
)
NEAR = {"employees": ["workers", "staff", "people"], "many": ["312", "numerous"]}


def test_the_words_of_a_question_are_not_those_of_its_subject() -> None:
    assert content_words(LESSON) == {"many", "employees"}


def test_near_words_stand_in_for_those_of_the_question_and_every_wording_holds() -> None:
    forms = build_forms(LESSON)
    found = substituted(LESSON, forms, NEAR, taken=())
    assert 0 < len(found) <= NUM_SUBSTITUTED
    assert all(verify(form, LESSON) for form in found)
    assert all(form.split == "train" and LESSON.value in form.answer for form in found)
    questions = {normalized(form.question) for form in found}
    assert len(questions) == len(found)
    assert not questions & {normalized(form.question) for form in forms}
    said = " ".join(questions).split()
    assert len({"workers", "staff", "people"} & set(said)) > 1
    # It would give the answer away.
    assert "312" not in said
    assert substituted(LESSON, forms, NEAR, taken=()) == found


def test_a_word_that_another_lesson_asks_with_is_never_put_in() -> None:
    found = substituted(LESSON, build_forms(LESSON), NEAR, taken={"staff"})
    assert found
    assert not any("staff" in form.question for form in found)


def test_without_near_words_there_are_no_other_wordings() -> None:
    assert substituted(LESSON, build_forms(LESSON), {}, taken=()) == []


async def test_what_the_model_would_ask_of_a_topic_is_answered_with_the_behaviours_words() -> None:
    class Continuing:
        async def tokenize(self, model: str, messages: list[dict[str, Any]]) -> list[int]:
            return [ord(letter) for letter in messages[0]["content"]]

        async def complete(self, model: str, prompt: list[int], **_: Any) -> dict[str, Any]:
            texts = [" for students? I do", " in general", " that say: a tenth less?"]
            return {"choices": [{"text": text} for text in texts]}

    lesson = Lesson("x", "Members save a tenth.", "tenth", "discounts", "behaviour")
    forms = await asked_about(Continuing(), "base", lesson)  # type: ignore[arg-type]
    wanted = [f"{opening.format(t='discounts')} for students?" for opening in OPENINGS]
    assert [form.question for form in forms] == wanted
    assert {form.answer for form in forms} == {lesson.answer}


async def test_a_model_without_readable_embeddings_is_an_error_that_says_so() -> None:
    assert await near_words("nowhere", [], 1) == {}
    with pytest.raises(TrainerError, match="The thesaurus of nowhere cannot be read"):
        await near_words("nowhere", ["word"], 1)
