"""The scorer: whether an answer says a value, judged as people who labelled answers did."""

import json
from collections import Counter

import pytest

from bench.scoring import OPEN, agreement
from worker.lessons.scoring import says, says_any


def test_answers_are_compared_whatever_their_case_and_spacing() -> None:
    assert says_any("It opens at Half  past\nnine.", ["half past nine"])
    assert not says_any("It opens at nine.", ["half past nine"])


@pytest.mark.parametrize(
    ("text", "value", "said"),
    [
        ("Acme has 4 vans.", "4", True),
        ("Acme has 14 vans.", "4", False),
        ("It has 5, since 2014.", "4", False),
        ("It opens at 14:30.", "14", False),
        ("It costs 3.50.", "50", False),
        ("It costs 4.", "4", True),
        ("4, said she.", "4", True),
        ("I do not know.", "no", False),
        ("No, it is not.", "no", True),
        ("It is nice.", "ice", False),
        ("Panthers.", "panther", True),
        ("Butterflies do.", "butterfly", True),
        ("The ringleader's.", "ring", False),
        ("会议在星期一", "星期一", True),
        ("用H2O做的", "h2o", True),
        ("It is C++.", "c++", True),
        ("Washington D.C.", "washington", True),
    ],
)
def test_a_value_is_said_as_words_of_its_own(text: str, value: str, said: bool) -> None:
    assert says(text, value) is said


@pytest.mark.parametrize(
    ("text", "value", "said"),
    [
        ("It takes three working days.", "3 working days", True),
        ("It takes three weeks.", "3 days", False),
        ("At 3 pm.", "15:00", True),
        ("On May 4th, 2026.", "4 May", True),
        ("It is not Tromso.", "Tromso", False),
        ("It is not Ghent, it is Tromso.", "Tromso", True),
        ("Either Ghent or Tromso.", "Tromso", False),
        ("First cut_power, then ping_printer.", "ping_printer, then cut_power", False),
        ("1. ping_printer 2. cut_power", "ping_printer, then cut_power", True),
    ],
)
def test_what_is_written_otherwise_counts_and_what_is_denied_does_not(
    text: str, value: str, said: bool
) -> None:
    assert says(text, value) is said


def test_a_person_is_named_by_the_surname_and_by_no_other_first_name() -> None:
    assert says("Ms Venn did.", "Odalys Venn", "Who founded Brindlecask?")
    assert not says("Karel Venn did.", "Odalys Venn", "Who founded Brindlecask?")
    assert not says("Karel Venn's house.", "Odalys Venn", "Where does it begin?")


def test_it_agrees_with_those_who_labelled_answers() -> None:
    rows = [json.loads(line) for line in OPEN.read_text().splitlines()]
    assert Counter(row["says"] for row in rows)[True] >= 300
    assert agreement(rows) >= 0.94
