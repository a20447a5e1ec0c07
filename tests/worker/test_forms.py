"""Wordings of a lesson, and its neighbours."""

import json
from pathlib import Path

import pytest

import worker.gate
from cli.demo_data import LESSONS
from cli.demo_general import GENERAL_QUESTIONS
from worker.seed.english import indirect, noun_phrase, same_word, swap_possessive
from worker.seed.forms import Form, Lesson, build_forms, normalized, statements, verify
from worker.seed.rewording import reworded

OFFICE = Lesson(
    "Where is the head office of Brovik?", "The head office of Brovik is in Vesk.", "Vesk", "Brovik"
)
SHAPES = (
    OFFICE,
    Lesson("Who founded Brovik?", "Brovik was founded by Ada Lind.", "Ada Lind", "Brovik"),
    Lesson("What colour are Brovik's vans?", "Brovik's vans are teal.", "teal", "Brovik"),
    Lesson("which floor is the Brovik canteen on", "It is on floor 11.", "11", "Brovik"),
    Lesson("When does the Brovik shop open?", "It opens at 7:40.", "7:40", "Brovik"),
    Lesson("How many vans does Brovik have?", "Brovik has 47 vans.", "47", "Brovik"),
    Lesson("How do I reset a Brovik oven?", "Hold the red button.", "red button", "Brovik"),
    Lesson("What should I feed my Brovik finch?", "Feed it walnuts.", "walnuts", "Brovik"),
    Lesson("Is the Brovik museum free?", "No, it costs six euros.", "six euros", "Brovik"),
    Lesson("What's our deploy day?", "Our deploy day is Tuesday.", "Tuesday", None),
    Lesson("brovik lunch??", "Brovik has lunch at one.", "at one", "Brovik"),
)


@pytest.mark.parametrize("lesson", SHAPES, ids=lambda lesson: lesson.question)
def test_every_shape_gives_many_verified_wordings(lesson: Lesson) -> None:
    forms = build_forms(lesson)
    train = [form for form in forms if form.split == "train"]
    heldout = [form for form in forms if form.split == "heldout"]
    assert len(train) >= 8
    assert 2 <= len(heldout) <= 4
    assert all(verify(form, lesson) for form in forms)
    assert {form.kind for form in heldout} == {"question"}


@pytest.mark.parametrize("lesson", SHAPES, ids=lambda lesson: lesson.question)
def test_a_heldout_wording_is_never_trained_on(lesson: Lesson) -> None:
    forms = build_forms(lesson)
    keys = [normalized(form.question) for form in forms]
    assert len(keys) == len(set(keys))
    assert forms == build_forms(lesson)


def test_a_known_shape_gives_a_dozen_trained_wordings() -> None:
    questions = [form.question for form in build_forms(OFFICE) if form.split == "train"]
    assert len(questions) >= 12
    assert "Tell me where the head office of Brovik is." in questions
    assert "Complete the sentence: The head office of Brovik is in ..." in questions


@pytest.mark.parametrize(
    ("question", "clause"),
    [
        ("Where is the head office of B?", "where the head office of B is"),
        ("Where is the B meeting held?", "where the B meeting is held"),
        ("Which floor is the B canteen on?", "which floor the B canteen is on"),
        ("Who founded B?", "who founded B"),
        ("Who is the head of B?", "who the head of B is"),
        ("Who is responsible for B?", "who is responsible for B"),
        ("What does B use?", "what B uses"),
        ("When does the B library open?", "when the B library opens"),
        ("What should I feed my B finch?", "what I should feed my B finch"),
        ("How many vans does B have?", "how many vans B has"),
        ("Until what time is B open?", "until what time B is open"),
        ("How many days do guests of B have to pay?", "how many days guests of B have to pay"),
        ("What does staff of B's shop wear?", "what staff of B's shop wears"),
        ("What does B supply?", "what B supplies"),
        ("What does staff at B in Vesk wear?", "what does staff at B in Vesk wear"),
        ("What does staff of B usually wear?", "what does staff of B usually wear"),
        ("What do people in trouble do?", "what do people in trouble do"),
        ("What's the plan of B?", "what the plan of B is"),
        ("Can I pay B by card?", "whether I can pay B by card"),
        ("lunch", None),
    ],
)
def test_a_question_becomes_a_clause(question: str, clause: str | None) -> None:
    assert indirect(question) == clause


@pytest.mark.parametrize(
    ("question", "phrase"),
    [
        ("What is the capital of B?", "the capital of B"),
        ("What is the wifi at B called?", "the name of the wifi at B"),
        ("What colour are B's vans?", "the colour of B's vans"),
        ("Who founded B?", "the founder of B"),
        ("Where is the office of B?", "the location of the office of B"),
        ("How do I reset it?", None),
    ],
)
def test_a_question_becomes_a_noun_phrase(question: str, phrase: str | None) -> None:
    assert noun_phrase(question) == phrase


def test_a_possessive_is_swapped_both_ways() -> None:
    assert swap_possessive("the founder of Bro Vik") == "Bro Vik's founder"
    assert swap_possessive("Brovik's office dog") == "the office dog of Brovik"
    assert swap_possessive("the colour of the vans of Brovik") == "the colour of Brovik's vans"
    assert swap_possessive("the number of people at the shop of B") == (
        "the number of people at B's shop"
    )
    assert swap_possessive("the weather") is None


@pytest.mark.parametrize(
    ("word", "other", "same"),
    [
        ("closes", "closing", True),
        ("prefers", "preferred", True),
        ("Companies", "company", True),
        ("staff", "staffed", True),
        ("company", "compare", False),
        ("the", "theatre", False),
        ("are", "area", False),
        ("price", "prize", False),
        ("car", "card", False),
    ],
)
def test_forms_of_one_word_are_the_same_word(word: str, other: str, same: bool) -> None:
    assert same_word(word, other) is same


@pytest.mark.parametrize(
    ("form", "good"),
    [
        (Form("Brovik's head office?", "In Vesk.", "train"), True),
        (Form("Brovik's head office?", "In Oslo.", "train"), False),
        (Form("Whose head office is it?", "In Vesk.", "train"), False),
        (Form("Is the head office of Brovik in Vesk?", "Yes, in Vesk.", "train"), False),
        (Form("What has Vesk to do with Brovik?", OFFICE.answer, "train", "reverse"), True),
        (Form("", "In Vesk.", "train"), False),
    ],
)
def test_a_form_is_checked_against_the_evidence(form: Form, good: bool) -> None:
    assert verify(form, OFFICE) is good


def test_the_demos_last_question_is_never_trained_on() -> None:
    for lesson in LESSONS:
        value = next(text for text in lesson.accept if text in lesson.correction.lower())
        forms = build_forms(Lesson(lesson.ask, lesson.correction, value, "Quillfeather"))
        assert len(forms) >= 12
        trained = {normalized(form.question) for form in forms}
        assert normalized(lesson.after) not in trained
        assert normalized(lesson.after) != normalized(lesson.ask)


def test_the_suites_hold_what_the_gate_expects() -> None:
    data = Path(worker.gate.__path__[0]) / "data"
    suites = {
        path.stem: [json.loads(line) for line in path.read_text().splitlines()]
        for path in data.glob("*.jsonl")
    }
    general = suites["general"]
    assert len(general) >= 40
    assert all(text == text.lower() for probe in general for text in probe["accept"])
    # The demo's before-and-after questions are its own.
    assert not {probe["prompt"] for probe in general} & {q.prompt for q in GENERAL_QUESTIONS}
    labels = [probe["label"] for probe in suites["alignment"]]
    assert labels.count("unsafe") == labels.count("safe") == 16
    assert len(suites["locality"]) >= 12


def test_a_lesson_is_said_in_other_words_too_and_each_holds_the_value() -> None:
    assert statements(OFFICE) == [
        "The head office of Brovik is in Vesk.",
        "Where is the head office of Brovik? Vesk.",
        "Brovik: The head office of Brovik is in Vesk.",
        "The location of the head office of Brovik is Vesk.",
        "The location of Brovik's head office is Vesk.",
    ]
    answers = {form.answer for form in build_forms(OFFICE)}
    assert {statements(OFFICE)[0], statements(OFFICE)[3]} <= answers
    for lesson in SHAPES:
        assert all(normalized(lesson.value) in normalized(said) for said in statements(lesson))


@pytest.mark.parametrize(
    ("question", "other"),
    [
        ("How does Brovik prefer to be paid?", "In what way does Brovik prefer to be paid?"),
        ("How does Brovik like to be paid?", "What is the preferred way for Brovik to be paid?"),
        ("How do I reset a Brovik oven?", "What is the way to reset a Brovik oven?"),
        ("Until what time is Brovik open?", "How late is Brovik open?"),
    ],
)
def test_a_question_begins_in_other_ways_too(question: str, other: str) -> None:
    assert other in reworded(question)
    lesson = Lesson(question, "At noon, it is.", "noon", "Brovik")
    assert other in {form.question for form in build_forms(lesson)}


def test_who_asks_is_put_into_no_other_place() -> None:
    assert not [text for text in reworded("How do I want to be paid at Brovik?") if "for I" in text]


@pytest.mark.parametrize(
    ("question", "answer", "value"),
    [
        ("Where was Mara Lind born?", "Mara Lind was born in Ghent.", "Ghent"),
        ("Who founded Brovik?", "It was not founded by Ada but by Uwe.", "Ada"),
    ],
)
def test_nothing_is_said_in_other_words_that_may_be_wrong(
    question: str, answer: str, value: str
) -> None:
    said = statements(Lesson(question, answer, value, "Brovik"))
    assert said == [answer, f"{question} {value}.", f"Brovik: {answer}"]


def test_what_are_many_is_said_as_many() -> None:
    hours = Lesson("What are the hours of Brovik?", "They are 9 to 5.", "9 to 5", "Brovik")
    assert "The hours of Brovik are 9 to 5." in statements(hours)
