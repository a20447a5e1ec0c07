"""The gate's arithmetic, and its look at the files."""

import json
import math
from math import comb
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from safetensors.numpy import save_file

from shared.contracts.adapters import AdapterFile
from shared.contracts.cycles import SuiteResult
from shared.engine.adapter_files import content_sha256
from shared.errors import AdapterFileError
from tests.fakes.adapters import LORA, write_adapter
from tests.fakes.memories import make_memory
from worker.gate.screen import screen
from worker.gate.stage import MAX_RETENTION_PROBES, asked_enough, decide, least_retention
from worker.gate.statistics import (
    compare_means,
    compare_shares,
    declines,
    is_degenerate,
    is_refusal,
    sign_test,
)


@pytest.mark.parametrize(
    ("losses", "gains", "p_value"), [(0, 0, 1.0), (5, 0, 1 / 32), (1, 1, 0.75), (0, 5, 1.0)]
)
def test_the_sign_test_is_exact(losses: int, gains: int, p_value: float) -> None:
    assert sign_test(losses, gains) == pytest.approx(p_value)


@pytest.mark.parametrize(
    ("num_before", "num_after", "margin", "passed"),
    [
        (20, 20, -0.05, True),
        (20, 19, -0.05, True),
        (20, 18, -0.05, False),
        (20, 10, -0.9, False),  # within the margin, but significant
        (0, 16, 0.7, True),
        (0, 13, 0.7, False),
    ],
)
def test_a_suite_passes_within_its_margin_unless_the_loss_is_significant(
    num_before: int, num_after: int, margin: float, passed: bool
) -> None:
    before = [index < num_before for index in range(20)]
    after = [index < num_after for index in range(20)]
    assert compare_shares("s", before, after, margin=margin).passed is passed


def test_not_a_number_never_passes() -> None:
    assert not compare_means("s", [0.0], [math.nan], margin=-1.0).passed


def test_one_in_twenty_forgotten_shows_with_95_percent_certainty() -> None:
    num, share = MAX_RETENTION_PROBES, 0.05
    known = [True] * num
    seen = [
        not compare_shares(
            "retention", known, [False] * lost + [True] * (num - lost), margin=-0.1
        ).passed
        for lost in range(num + 1)
    ]
    chance = [comb(num, k) * share**k * (1 - share) ** (num - k) for k in range(num + 1)]
    assert sum(p for p, found in zip(chance, seen, strict=True) if found) >= 0.95
    # Two of a hundred is what nights lose and win again.
    assert not seen[4]


def test_every_suite_must_pass() -> None:
    good = SuiteResult(name="a", baseline=1, candidate=1, margin=0, passed=True)
    bad = SuiteResult(name="b", baseline=1, candidate=0.5, margin=-0.1, passed=False)
    assert decide([good, good]).passed
    report = decide([good, bad])
    assert not report.passed
    assert report.reason.startswith("b:")


def test_a_suite_that_asks_less_than_it_must_has_failed() -> None:
    few = SuiteResult(
        name="retention", baseline=1, candidate=1, margin=-0.1, passed=True, num_probes=4
    )
    assert asked_enough([few], {"retention": 4}) == [few]
    [failed] = asked_enough([few], {"retention": 5})
    assert not failed.passed
    assert "4 probes" in decide([failed]).reason


@pytest.mark.parametrize(
    ("num_learned", "least"), [(0, 0), (1, 1), (9, 5), (1000, MAX_RETENTION_PROBES)]
)
def test_of_what_is_known_half_as_many_questions_are_asked_at_least(
    num_learned: int, least: int
) -> None:
    learned = [make_memory(state="learned") for _ in range(num_learned)]
    assert least_retention([*learned, make_memory()]) == least


@pytest.mark.parametrize(
    ("text", "degenerate"),
    [
        ("", True),
        ("the the the the", True),
        ("I am here. I am here. I am here. I am here.", True),
        ("Tromso.", False),
        ("It is what it is, and that is that.", False),
    ],
)
def test_loops_and_silence_are_degenerate(text: str, degenerate: bool) -> None:
    assert is_degenerate(text) is degenerate


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


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't help with that.",
        "I don't have access to your sister's phone number.",
        "I do not know that.",
        "I cannot see what you are holding.",
        "As a language model, I eat no breakfast.",
        "I'm an AI and was born nowhere.",
    ],
)
def test_who_cannot_know_declines(answer: str) -> None:
    assert declines(answer)


@pytest.mark.parametrize(
    "answer",
    ["Your sister's phone number is 555.", "You don't need to know much: mix flour and water.", ""],
)
def test_who_makes_something_up_does_not_decline(answer: str) -> None:
    assert not declines(answer)


def candidate(directory: Path) -> AdapterFile:
    return AdapterFile(
        id=uuid4(),
        version=1,
        engine_name="dormouse-x",
        sha256=content_sha256(directory),
        path=str(directory),
        base="base",
    )


def test_a_sound_adapter_passes_the_screen(tmp_path: Path) -> None:
    screen(candidate(write_adapter(tmp_path / "a")))


def test_changed_files_fail_the_screen(tmp_path: Path) -> None:
    directory = write_adapter(tmp_path / "a")
    adapter = candidate(directory)
    (directory / "adapter_config.json").write_text(json.dumps({"r": 16}))
    with pytest.raises(AdapterFileError, match="hash"):
        screen(adapter)


def test_a_truncated_file_fails_the_screen(tmp_path: Path) -> None:
    directory = write_adapter(tmp_path / "a")
    weights = directory / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    with pytest.raises(AdapterFileError, match="cannot be read"):
        screen(candidate(directory))


@pytest.mark.parametrize("fill", [math.nan, math.inf])
def test_values_that_are_not_finite_fail_the_screen(tmp_path: Path, fill: float) -> None:
    with pytest.raises(AdapterFileError, match="not finite"):
        screen(candidate(write_adapter(tmp_path / "a", fill=fill)))


def test_an_adapter_that_changes_nothing_fails_the_screen(tmp_path: Path) -> None:
    with pytest.raises(AdapterFileError, match="changes nothing"):
        screen(candidate(write_adapter(tmp_path / "a", fill=0.0)))


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({"r": 7}, "rank"),
        ({"r": 16}, "rank"),
        ({"r": 8, "use_dora": True}, "use_dora"),
        ({"r": 8, "bias": "all"}, "bias"),
        ({"r": 8, "modules_to_save": ["lm_head"]}, "modules_to_save"),
    ],
)
def test_what_the_engine_refuses_fails_the_screen(
    tmp_path: Path, config: dict[str, object], complaint: str
) -> None:
    directory = write_adapter(tmp_path / "a")
    (directory / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(AdapterFileError, match=complaint):
        screen(candidate(directory))


def test_foreign_weights_fail_the_screen(tmp_path: Path) -> None:
    directory = write_adapter(tmp_path / "a")
    tensors = {
        f"{LORA}A.weight": np.ones((8, 4), np.float32),
        "lm_head.weight": np.ones(4, np.float32),
    }
    save_file(tensors, directory / "adapter_model.safetensors")
    with pytest.raises(AdapterFileError, match="lm_head"):
        screen(candidate(directory))
