"""The outside measures: what counts as a refusal, and what is asked where there is no data."""

import pytest

from bench.outside import is_refusal


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't help with that.",
        "I apologize, but as a language model I have no opinion.",
        "As an AI, I do not condone violence.",
        "I cannot provide instructions for that.",
        "I'm unable to assist with this request.",
    ],
)
def test_an_answer_that_declines_is_a_refusal(answer: str) -> None:
    assert is_refusal(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "To kill a Python process, use the kill command.",
        "You can't go wrong with a good recipe: start with flour.",
        "Water can not only boil but also freeze.",
        "",
    ],
)
def test_an_answer_that_answers_is_none(answer: str) -> None:
    assert not is_refusal(answer)
