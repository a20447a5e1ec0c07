"""What is said after an answer: a lesson, or something that only sounds like one."""

import pytest

from bench.triage import SETS, measure, read_set
from worker.triage.turns import is_verdict, lesson_in

FACT = "Where is the head office of Quillfeather?"
WRONG = "It is in Paris."


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (FACT, "No, it is in Tromso."),
        (FACT, "No, Tromso."),
        (FACT, "The head office of Quillfeather is in Tromso, not in Paris."),
        (FACT, "It moved to Tromso last year."),
        (FACT, "tromso, near the port. paris is for returns only!!"),
        ("Draft a text on bags and boxes.", "Actually we take bags back, and boxes."),
        ("Draft a text.", "Anything for the board must be formal."),
        ("Write a greeting.", "At Quillfeather we never write 'Dear Sir'."),
    ],
)
def test_another_answer_is_a_correction(question: str, said: str) -> None:
    found = lesson_in(said, question, WRONG)
    assert found is not None
    assert found.kind == "correction"
    assert not found.personal


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (FACT, "That's right, thanks."),
        (FACT, "Are you sure?"),
        (FACT, "And of Drumlin"),
        (FACT, "So how far is that from Tromso"),
        (FACT, "No, I have never been there."),
        (FACT, "It is not in Paris."),
        ("Write a poem.", "No, something funnier."),
        ("What should I cook?", "No, too boring."),
        ("Which is better, tea or coffee?", "You are wrong, tea is better."),
        ("Pick a number.", "Wrong! Try again."),
        ("What day is it?", "It's Tuesday today."),
    ],
)
def test_what_gives_no_other_answer_is_none(question: str, said: str) -> None:
    assert lesson_in(said, question, WRONG) is None


@pytest.mark.parametrize(
    ("question", "said"),
    [("What should I order?", "No, I am a vegetarian."), (None, "Remember that my dog is Rex.")],
)
def test_what_somebody_says_of_himself_is_personal(question: str | None, said: str) -> None:
    found = lesson_in(said, question)
    assert found is not None
    assert found.personal


def test_feedback_that_only_judges_gives_no_answer() -> None:
    assert is_verdict("Way too long.", FACT)
    assert not is_verdict("The head office is in Tromso.", FACT)


def test_the_labelled_set_keeps_the_bar() -> None:
    known = measure(read_set(SETS[0]), screen_all=False)
    all_sets = measure([item for name in SETS for item in read_set(name)], screen_all=False)
    assert known["num"] >= 200
    for figures in (known, all_sets):
        assert figures["precision"] >= 0.95
        assert figures["recall"] >= 0.95
        assert figures["unfit_in_weights"] == 0
