"""What trains, what the gate asks and what the benches ask come from three sources.

An examiner who asks what the lesson book holds finds nothing that the book leaves out.
"""

import ast
import json
import re
from pathlib import Path

import pytest

from cli.demo_data import LESSONS
from cli.home import Home
from worker.gate.asked import NAMES, QUALITIES, THINGS
from worker.seed import names as trained_names
from worker.seed import others

ROOT = Path(__file__).parents[2]
TRAINED = ("worker/seed/others.py", "worker/seed/names.py", "worker/seed/contrast.py")
ASKED = ("worker/gate/asked.py", "worker/gate/neighbours.py")
WRITTEN = ROOT / "bench/data/written"
# Of a question's frame without its name: shorter ones are anybody's ("who", "what is").
MIN_WORDS = 3


def strings_in(*paths: str) -> set[str]:
    """Every text that stands in a file and reaches a question: no docstrings, names or patterns."""
    found = set()
    for path in paths:
        tree = ast.parse((ROOT / path).read_text())
        told = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and id(node) not in told
            ):
                found |= {part.strip() for part in re.split(r"[\n,]", node.value)}
    return found


def frames(texts: set[str]) -> set[str]:
    """Texts as questions ask them, without names and signs."""
    bare = (re.sub(r"\{\w\}", " ", text) for text in texts)
    said = (" ".join(re.findall(r"[a-z']+", text.lower())) for text in bare)
    return {text for text in said if len(text.split()) >= MIN_WORDS}


def written_questions() -> set[str]:
    rows = [
        json.loads(line)
        for path in WRITTEN.glob("*.jsonl")
        for line in path.read_text().splitlines()
    ]
    asked = {text for row in rows for text in (row["ask"], *row["again"])}
    return asked | {item["ask"] for row in rows for item in row["neighbours"]}


def test_the_sources_hold_something() -> None:
    assert len(frames(strings_in(*TRAINED))) > 40
    assert len(frames(strings_in(*ASKED))) > 20
    assert len(NAMES) > 40
    assert len(written_questions()) > 600


def test_no_frame_that_the_gate_asks_trains() -> None:
    assert frames(strings_in(*TRAINED)).isdisjoint(frames(strings_in(*ASKED)))


def test_no_name_that_the_gate_asks_about_trains() -> None:
    asked = {word.lower() for word in NAMES}
    vocabulary = trained_names.vocabulary_words(str(Home.at(None, None).model))
    trained = {word.lower() for word in vocabulary}
    trained |= {
        (head + tail).lower() for head in trained_names.HEADS for tail in trained_names.TAILS
    }
    assert asked.isdisjoint(trained)


def test_no_thing_or_quality_that_the_gate_asks_for_trains_or_is_the_demos() -> None:
    asked = {*THINGS, *QUALITIES}
    trained = {*others.NOUNS, *others.ADJECTIVES, *(word for row in others.CASES for word in row)}
    demo = " ".join(question.lower() for lesson in LESSONS for question in lesson.near)
    said = {
        form for word in re.findall(r"[a-z-]+", demo) for form in (word, word.removesuffix("s"))
    }
    assert asked.isdisjoint(trained)
    assert asked.isdisjoint(said)


def test_no_question_that_the_bench_asks_trains_or_is_the_gates() -> None:
    written = frames(written_questions())
    assert written.isdisjoint(frames(strings_in(*TRAINED)))
    assert written.isdisjoint(frames(strings_in(*ASKED)))


@pytest.mark.parametrize(
    ("room", "stranger"), [("seed", "worker.gate.asked"), ("gate", "worker.seed.others")]
)
def test_no_source_reads_another(room: str, stranger: str) -> None:
    for path in (ROOT / "worker" / room).glob("*.py"):
        assert stranger not in path.read_text(), path
