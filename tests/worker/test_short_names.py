"""Names as people shorten them."""

import pytest

from worker.seed.forms import Lesson, build_forms, normalized
from worker.seed.short_names import NUM_SHORT, short_name, shortened


@pytest.mark.parametrize(
    ("subject", "others", "short"),
    [
        ("Copper Heron Hotel", [], "Copper Heron"),
        ("Harrowmoor Ales", ["Harrowgate Ales"], "Harrowmoor"),
        ("Copper Heron Hotel", ["Copper Heron Hotel", "copper heron hotel"], "Copper Heron"),
        # Two begin so: neither is meant.
        ("Copper Heron Hotel", ["Copper Heron Bakery"], None),
        ("Copper Heron Hotel", ["Copper Heron"], None),
        ("Mirela Voss", [], None),
        ("Quillfeather", [], None),
        ("late parcels", [], None),
        ("Hotel", [], None),
        ("", [], None),
    ],
)
def test_what_kind_of_thing_it_is_goes_without_saying(
    subject: str, others: list[str], short: str | None
) -> None:
    assert short_name(subject, others) == short


def test_a_lesson_is_asked_for_by_its_short_name_too() -> None:
    lesson = Lesson(
        "Until when is breakfast served at the Copper Heron Hotel?",
        "Breakfast at the Copper Heron Hotel is served until ten.",
        "ten",
        "Copper Heron Hotel",
    )
    forms = build_forms(lesson)
    found = shortened(lesson, forms, [])
    assert len(found) == NUM_SHORT
    assert len({normalized(form.question) for form in (*forms, *found)}) == len(forms) + NUM_SHORT
    for form in found:
        assert "Copper Heron" in form.question
        assert "Hotel" not in form.question
        assert "ten" in form.answer.lower()
        assert form.split == "train"


@pytest.mark.parametrize("kind", ["behaviour", "workflow"])
def test_topics_and_tasks_have_no_short_names(kind: str) -> None:
    lesson = Lesson("q", "a", "v", "Copper Heron Hotel", kind)  # type: ignore[arg-type]
    assert shortened(lesson, [], []) == []
