"""Near neighbours that are trained on: they change one part, and get no answer that was taught."""

import random

import pytest

from cli.home import Home
from worker.seed.contrast import Neighbour, Neighbours
from worker.seed.forms import Lesson, build_forms, normalized
from worker.seed.names import Names, vocabulary_words

WINDOW = Lesson(
    "What is the refund window at Halvorsen Ferries?",
    "At Halvorsen Ferries the refund window is 45 days.",
    "45 days",
    "Halvorsen Ferries",
)
SOUP = Lesson(
    "What does Bistro Lanterna serve first?",
    "Bistro Lanterna serves pumpkin soup first.",
    "pumpkin soup",
    "Bistro Lanterna",
)
HOUSE = Lesson(
    "When is our yearly stocktaking?", "Our yearly stocktaking is on 4 March.", "4 March"
)
TOPIC = Lesson(
    "A customer asks about late parcels. What do you say?",
    "Sorry for the long wait.",
    "Sorry for the long wait",
    "late parcels",
    "behaviour",
)
TASK = Lesson(
    "What are the steps to restart printer in office?",
    "First ping_printer, then cut_power.",
    "ping_printer, then cut_power",
    "restart printer in office",
    "workflow",
)
ALL = [WINDOW, SOUP, HOUSE, TOPIC, TASK]
COUNT = 24


@pytest.fixture(scope="module")
def names() -> Names:
    words = vocabulary_words(str(Home.at(None, None).model))
    return Names(words, [lesson.subject for lesson in ALL if lesson.subject])


def neighbours_of(lesson: Lesson, names: Names, seed: int = 1) -> list[Neighbour]:
    questions = [form.question for form in build_forms(lesson) if form.kind == "question"]
    return Neighbours(ALL, names, {}, seed).of(lesson, [lesson.question, *questions], COUNT)


@pytest.mark.parametrize("lesson", ALL, ids=lambda lesson: lesson.value)
def test_every_kind_of_lesson_has_neighbours(lesson: Lesson, names: Names) -> None:
    found = neighbours_of(lesson, names)
    assert len({normalized(item.question) for item in found}) == len(found) == COUNT
    for item in found:
        assert normalized(item.question) != normalized(lesson.question)
        assert normalized(lesson.value) in normalized(item.leak)
        assert normalized(lesson.value) not in normalized(item.question)


def test_the_same_seed_gives_the_same_and_another_others(names: Names) -> None:
    assert neighbours_of(WINDOW, names) == neighbours_of(WINDOW, names)
    assert neighbours_of(WINDOW, names) != neighbours_of(WINDOW, names, seed=2)


def test_a_name_keeps_a_part_that_it_shares_and_never_all_of_it(names: Names) -> None:
    renamed = [item for item in neighbours_of(WINDOW, names) if item.differs == "name"]
    assert any("Ferries" in item.question for item in renamed)
    assert not any("Halvorsen Ferries" in item.question for item in renamed)


def test_a_name_of_one_word_keeps_a_half_now_and_then(names: Names) -> None:
    rng = random.Random(1)
    drawn = [names.like("Quillfeather", rng) for _ in range(200)]
    assert "Quillfeather" not in drawn
    assert sum(name.endswith("feather") for name in drawn) > 10
    assert sum(name.startswith("Quill") for name in drawn) > 10
    assert sum("Quill" not in name and "feather" not in name for name in drawn) > 60


def test_what_was_taught_of_another_is_not_asked_for_as_a_neighbour(names: Names) -> None:
    taught = Lesson(
        WINDOW.question.replace("Halvorsen Ferries", "Bistro Lanterna"),
        "At Bistro Lanterna the refund window is 3 days.",
        "3 days",
        "Bistro Lanterna",
    )
    found = Neighbours([*ALL, taught], names, {}, 1).of(WINDOW, [WINDOW.question], 200)
    asked = {normalized(item.question) for item in found}
    assert normalized(taught.question) not in asked


def test_another_property_shares_no_word_with_the_lesson_or_one_near_to_it(names: Names) -> None:
    founder = Lesson("Who founded Brovik?", "Brovik was founded by Ada Venn.", "Ada Venn", "Brovik")
    near = {"founded": ["motto"]}
    found = Neighbours([founder], names, near, 1).of(founder, [founder.question], 200)
    properties = [item.question for item in found if item.differs == "property"]
    assert properties
    assert not any("found" in text or "motto" in text for text in properties)


def test_names_are_never_a_subjects_own_word() -> None:
    drawn = Names(["Copperdale", "Hanoi"], ["Amber Field", "Copperdale"])
    rng = random.Random(3)
    assert not {"Copperdale", "Amber", "Field"} & {drawn.word(rng) for _ in range(3000)}


def test_a_model_without_a_vocabulary_file_has_names_too(tmp_path: object) -> None:
    assert vocabulary_words(str(tmp_path)) == ()
    assert Names((), ()).like("Printer 3B", random.Random(1)) != "Printer 3B"
