"""In which type the engine multiplies."""

import json
from pathlib import Path

import pytest

from cli.engine_dtype import engine_dtype, faster, multiplies_bfloat16
from cli.home import Home

HAS_IT = "model name\t: Some CPU\nflags\t\t: avx2 avx512_bf16\n"


@pytest.fixture
def info(tmp_path: Path) -> Path:
    path = tmp_path / "cpuinfo"
    path.write_text(HAS_IT)
    return path


def engine_that_prints(home: Home, text: str) -> Path:
    """An engine's Python that prints this, and a line into the file that it returns."""
    python, calls = home.engine_python, home.path / "calls"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\necho x >> {calls}\necho '{text}'\n")
    python.chmod(0o755)
    return calls


def measured(prompt: float, answer: float) -> dict[str, dict[str, float]]:
    """Milliseconds, bfloat16's one."""
    return {
        "prompt": {"bfloat16": 1.0, "float32": prompt},
        "answer": {"bfloat16": 1.0, "float32": answer},
    }


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("fma avx2 avx512f avx512_bf16", True), ("fma avx2 avx512f", False), ("amx_bf16 avx2", True)],
)
def test_a_processor_may_multiply_bfloat16(tmp_path: Path, flags: str, expected: bool) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text(f"processor\t: 0\nflags\t\t: {flags}\nbugs\t\t: spectre_v1\n")

    assert multiplies_bfloat16(info) is expected


def test_a_machine_that_does_not_tell_is_measured(tmp_path: Path) -> None:
    assert multiplies_bfloat16(tmp_path / "missing")


@pytest.mark.parametrize(
    ("prompt", "answer", "expected"),
    [(2.0, 2.0, "bfloat16"), (0.9, 0.9, "bfloat16"), (0.6, 1.0, "float32"), (0.6, 1.5, "bfloat16")],
)
def test_float32_must_be_clearly_faster_over_prompts_and_answers(
    prompt: float, answer: float, expected: str
) -> None:
    assert faster(measured(prompt, answer)) == expected  # type: ignore[arg-type]


def test_it_is_measured_once_for_a_processor(
    tmp_path: Path, info: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home.at(tmp_path / "home", tmp_path / "assets")
    home.make_folders()
    calls = engine_that_prints(home, json.dumps(measured(0.5, 0.5)))

    assert [engine_dtype(home, info) for _ in range(2)] == ["float32", "float32"]
    assert calls.read_text() == "x\n"
    assert "float32" in capsys.readouterr().out

    info.write_text(HAS_IT.replace("Some", "Another"))
    assert engine_dtype(home, info) == "float32"
    assert calls.read_text() == "x\nx\n"


@pytest.mark.parametrize("said", ["no JSON", ""])
def test_what_cannot_be_measured_keeps_bfloat16_and_says_so(
    tmp_path: Path, info: Path, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home.at(tmp_path / "home", tmp_path / "assets")
    home.make_folders()
    engine_that_prints(home, said)

    assert engine_dtype(home, info) == "bfloat16"
    assert "unmeasured" in capsys.readouterr().out


def test_without_bfloat16_in_hardware_nothing_is_measured(tmp_path: Path, info: Path) -> None:
    info.write_text("flags\t: avx2\n")

    assert engine_dtype(Home.at(tmp_path / "home", tmp_path / "assets"), info) == "float32"


def test_the_engines_own_python_measures(info: Path, tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home", tmp_path / "assets")
    home.engine_python.parent.mkdir(parents=True)
    home.engine_python.write_text(f'#!/bin/sh\nexec {Home.at().engine_python} "$@"\n')
    home.engine_python.chmod(0o755)

    assert engine_dtype(home, info) in ("bfloat16", "float32")
    kept = json.loads((home.assets / "engine-cache" / "dtype.json").read_text())
    assert all(kept["measured"][kind][kept["chosen"]] > 0 for kind in ("prompt", "answer"))
