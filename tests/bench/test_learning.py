"""The learning bench's figures, when they come from earlier runs."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from bench.learning import main

app = typer.Typer()
app.command()(main)


def figures(path: Path, *arms: tuple[str, int, float]) -> list[str]:
    """The option that shows a file with one cycle of each arm."""
    cycle: dict[str, Any] = {"seconds": 400.0, "status": "promoted"}
    written = [
        {"arm": arm, "seed": seed, "base": {}, "cycles": [{**cycle, "acquired": acquired}]}
        for arm, seed, acquired in arms
    ]
    path.write_text(json.dumps({"machine": {}, "arms": written}))
    return ["--figures", str(path)]


def test_figures_of_several_runs_are_shown_with_their_medians_and_nothing_runs(
    tmp_path: Path,
) -> None:
    shown = CliRunner().invoke(
        app,
        [
            *figures(tmp_path / "first.json", ("ours", 0, 0.9), ("plain", 0, 0.5)),
            *figures(tmp_path / "second.json", ("ours", 1, 1.0), ("ours", 2, 0.97)),
            "--json",
            str(tmp_path / "all.json"),
        ],
    )
    assert shown.exit_code == 0, shown.output
    assert "ours, median of seeds [0, 1, 2]" in shown.output
    assert "plain, median of seeds [0]" in shown.output
    bars = [line.split() for line in shown.output.splitlines() if line.startswith("acquired  ")]
    assert [bar[-3:] for bar in bars if len(bar) == 6] == [
        ["0.970", "0.970", "yes"],
        ["0.500", "0.500", "no"],
    ]
    saved = json.loads((tmp_path / "all.json").read_text())
    assert [(arm["arm"], arm["seed"]) for arm in saved["arms"]] == [
        ("ours", 0),
        ("plain", 0),
        ("ours", 1),
        ("ours", 2),
    ]


@pytest.mark.parametrize("content", ["", "{}", '{"arms": [{"who": 1}]}'])
def test_a_file_without_figures_is_refused_by_its_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "figures.json"
    path.write_text(content)
    shown = CliRunner().invoke(app, ["--figures", str(path)])
    assert shown.exit_code == 2
    assert "figures.json" in shown.output.replace("\n", "")
