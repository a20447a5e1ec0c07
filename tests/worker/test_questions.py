"""What is told gets the question that it answers, and that question gives many wordings."""

import pytest

from tests.fakes.traces import make_trace
from worker.seed.forms import Lesson, build_forms
from worker.triage.questions import question_for
from worker.triage.rules import judge


@pytest.mark.parametrize(
    ("statement", "question", "value"),
    [
        ("The vans of Quillfeather are teal.", "What colour are the vans of Quillfeather?", "teal"),
        ("Our fiscal year starts in May.", "When does our fiscal year start?", "May"),
        (
            "Quillfeather was founded by Odalys Venn.",
            "Who founded Quillfeather?",
            "Odalys Venn",
        ),
        ("The handbook was written by Ada Brandal.", "Who wrote the handbook?", "Ada Brandal"),
        ("The Tromso depot closes at six.", "When does the Tromso depot close?", "six"),
        (
            "The head office of Quillfeather is in Tromso.",
            "Where is the head office of Quillfeather?",
            "Tromso",
        ),
        (
            "The team meeting of Drumlin is held on Thursday.",
            "When is the team meeting of Drumlin held?",
            "Thursday",
        ),
        (
            "The guest wifi at Drumlin is called Larkspur.",
            "What is the guest wifi at Drumlin called?",
            "Larkspur",
        ),
        (
            "Customers of Drumlin have 47 days to return an item.",
            "How many days do customers of Drumlin have to return an item?",
            "47",
        ),
        (
            "The support phone of Drumlin is open until half past nine.",
            "Until what time is the support phone of Drumlin open?",
            "half past nine",
        ),
        ("Our contact at Drumlin is Birgit Salo.", "Who is our contact at Drumlin?", "Birgit Salo"),
        ("A Moonkettle costs 34 euros.", "How much does a Moonkettle cost?", "34 euros"),
        ("Drumlin uses Paperlane.", "What does Drumlin use?", "Paperlane"),
        ("Drumlin's mascot is a heron.", "What is Drumlin's mascot?", "heron"),
        ("Our depot moved to 14 Cask Lane.", "Where did our depot move?", "14 Cask Lane"),
        ("The fee has changed to 6 euros.", "To what has the fee changed?", "6 euros"),
        ("The rota switches on Wednesdays.", "When does the rota switch?", "Wednesdays"),
        ("All doors must be locked before noon.", "When must all doors be locked?", "before noon"),
        (
            "Company cars must be returned with half a tank.",
            "How must Company cars be returned?",
            "half a tank",
        ),
        (
            "Always answer customers of Drumlin with their contract number.",
            "How do you answer customers of Drumlin?",
            "contract number",
        ),
        (
            "The clinic at Drumlin no longer takes walk-ins on Mondays.",
            "What do you know about the clinic at Drumlin?",
            "walk-ins on Mondays",
        ),
        ("Our mail to schools is signed twice.", "How is our mail to schools signed?", "twice"),
        ("Visitors have to wear a badge.", "What do visitors have to do?", "wear a badge"),
        ("Visitors must sign in at gate 4.", "What must visitors do?", "sign in at gate 4"),
    ],
)
def test_a_statement_gets_the_question_that_it_answers(
    statement: str, question: str, value: str
) -> None:
    _, [finding] = judge([make_trace(f"Please remember: {statement}")], [])
    assert (finding.question, finding.answer, finding.value) == (question, statement, value)
    forms = build_forms(Lesson(question, statement, value, finding.subject or None))
    assert sum(form.split == "train" for form in forms) >= 8
    assert sum(form.split == "heldout" for form in forms) >= 2


@pytest.mark.parametrize(
    "statement",
    [
        "It is in Tromso.",
        "If you are late, the door is locked.",
        "They were founded by Odalys Venn.",
        "Good morning everybody.",
        "",
    ],
)
def test_what_asks_for_nothing_has_no_question(statement: str) -> None:
    assert question_for(statement) is None
