"""The plots are drawn from what there is, and the same figures give the same file."""

from pathlib import Path
from typing import Any

from bench.plots import plot


def test_every_measure_has_its_panel_and_the_same_figures_give_the_same_bytes(
    tmp_path: Path,
) -> None:
    lines: dict[str, list[dict[str, Any]]] = {
        "ours": [{"acquired": 0.9, "blimp": None}, {"acquired": 1.0, "blimp": 0.7}],
        "plain": [{"acquired": 1.0}],
    }
    first, second = tmp_path / "first.svg", tmp_path / "second.svg"
    for path in (first, second):
        plot(path, ["acquired", "blimp", "drift"], lines)
    drawn = first.read_text()
    assert all(f">{word}<" in drawn for word in ("acquired", "blimp", "drift", "ours", "plain"))
    assert first.read_bytes() == second.read_bytes()


def test_an_arm_keeps_its_colour_where_another_has_no_figures(tmp_path: Path) -> None:
    lines: dict[str, list[dict[str, Any]]] = {"ours": [{}], "plain": [{"blimp": 0.7}]}
    plot(tmp_path / "one.svg", ["blimp"], lines)
    drawn = (tmp_path / "one.svg").read_text()
    first, second = "#1f77b4", "#ff7f0e"
    assert (first in drawn, second in drawn) == (False, True)
