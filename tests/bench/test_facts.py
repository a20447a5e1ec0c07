"""Real facts: what is counted after a night, and what a night must reach."""

import json
from pathlib import Path

import pytest

from bench.facts import Answers, Fact, bars_of, measured, read_facts
from bench.instructions import UNCHECKED, Instruction, read_instructions

FACTS = [
    Fact("What position does A hold?", "What is A's role?", "coach", "What role did B have?"),
    Fact("Which river is C in?", "What river holds C?", "Rhine", "Which river is D in?"),
]

PROMOTED = {"status": "promoted"}


def answers(
    rephrased: list[str], neighbours: list[str], followed: list[bool] | None = None
) -> Answers:
    return Answers(["Nobody knows.", "The Rhine."], rephrased, neighbours, 0.8, followed or [])


def test_a_neighbour_leaks_if_it_did_not_say_so_before() -> None:
    before = answers(["A singer.", "The Po."], ["B was a poet.", "D is in the Rhine."])
    after = answers(["A is a coach.", "The Po."], ["B was a coach.", "D is in the Rhine."])
    figures = measured(FACTS, before, after, 0.02)
    assert figures["asked"] == 0.5
    assert (figures["rephrased before"], figures["rephrased"]) == (0.0, 0.5)
    assert figures["leak"] == 0.5
    assert figures["leaked"] == [("What role did B have?", "coach", "B was a coach.")]
    assert figures["missed"] == [("What river holds C?", "Rhine", "The Po.")]


@pytest.mark.parametrize(("num_lost", "holds"), [(4, True), (5, False)])
def test_instructions_may_be_lost_by_chance_and_no_more(num_lost: int, holds: bool) -> None:
    said = ["It is the coach.", "The Rhine."], ["A poet.", "The Po."]
    before, after = (
        answers(*said, [True] * 20),
        answers(*said, [False] * num_lost + [True] * (20 - num_lost)),
    )
    bars = {
        bar["name"]: bar for bar in bars_of("x", PROMOTED | measured(FACTS, before, after, 0.2))
    }
    assert bars["x: followed, p"]["holds"] is holds
    assert bars["x: rephrased"]["holds"]
    assert bars["x: leak"]["holds"]
    assert bars["x: blimp"]["holds"]
    assert not bars["x: less likely"]["holds"]


def test_what_was_not_measured_has_no_bar() -> None:
    nothing = Answers(["", ""], ["", ""], ["", ""], None, [])
    names = [bar["name"] for bar in bars_of("x", PROMOTED | measured(FACTS, nothing, nothing, 0.0))]
    assert names == ["x: promoted", "x: rephrased", "x: leak", "x: less likely"]


def test_a_refused_night_is_no_night_without_leaks() -> None:
    same = answers(["A singer.", "The Po."], ["B was a poet.", "The Po."])
    figures = {"status": "rejected", **measured(FACTS, same, same, 0.0)}
    bars = {bar["name"]: bar["holds"] for bar in bars_of("x", figures)}
    assert bars["x: leak"]
    assert not bars["x: promoted"]


def test_facts_are_drawn_by_the_seed(tmp_path: Path) -> None:
    rows = [
        {"question": f"q{i}", "rephrased": f"r{i}", "answer": f"a{i}", "unrelated": f"u{i}"}
        for i in range(20)
    ]
    (tmp_path / "zsre.jsonl").write_text("\n".join(map(json.dumps, rows)))
    drawn = read_facts(tmp_path, "zsre", 5, 7)
    assert len(set(drawn)) == 5
    assert drawn == read_facts(tmp_path, "zsre", 5, 7)
    assert drawn != read_facts(tmp_path, "zsre", 5, 8)
    assert all(fact.neighbour == fact.question.replace("q", "u") for fact in drawn)
    with pytest.raises(ValueError, match="20 facts, not 21"):
        read_facts(tmp_path, "zsre", 21, 7)


def test_instructions_without_their_checks_say_what_installs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_instructions(tmp_path, 5) == []
    kept = {
        "prompt": "Use no comma.",
        "instruction_id_list": ["punctuation:no_comma"],
        "kwargs": [{}],
    }
    left = {**kept, "instruction_id_list": sorted(UNCHECKED)[:1]}
    (tmp_path / "ifeval.jsonl").write_text(f"{json.dumps(left)}\n{json.dumps(kept)}\n")
    monkeypatch.setattr("bench.instructions.find_spec", lambda name: None)
    with pytest.raises(ImportError, match="make bench-facts"):
        read_instructions(tmp_path, 5)
    monkeypatch.setattr("bench.instructions.find_spec", lambda name: object())
    assert read_instructions(tmp_path, 5) == [
        Instruction("Use no comma.", ("punctuation:no_comma",), ({},))
    ]
