"""The learning bench's figures as small plots: one panel a measure, one line an arm."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")

from matplotlib import pyplot as plt

NUM_COLUMNS = 4
PANEL_INCHES = (3.2, 2.2)
# Same figures, same file: no time and no random names in it.
STABLE: dict[str, Any] = {"svg.hashsalt": "dormouse", "svg.fonttype": "none", "font.size": 8}


def plot(path: Path, measures: Sequence[str], lines: dict[str, list[dict[str, Any]]]) -> None:
    """Write one SVG.

    Args:
        path: Where to.
        measures: One panel each; a measure that a cycle lacks has a gap there.
        lines: An arm's name, and its cycles from the first on.
    """
    num_rows = -(-len(measures) // NUM_COLUMNS)
    size = (PANEL_INCHES[0] * NUM_COLUMNS, PANEL_INCHES[1] * num_rows)
    # An arm has one colour, also where another has no figures.
    styles = {
        name: {"color": f"C{i}", "marker": ".", "label": name} for i, name in enumerate(lines)
    }
    with plt.rc_context(STABLE):  # type: ignore[arg-type]
        figure, axes = plt.subplots(num_rows, NUM_COLUMNS, figsize=size, squeeze=False)
        panels = list(axes.flat)
        for panel, measure in zip(panels, measures, strict=False):
            for name, cycles in lines.items():
                found = [
                    (number, cycle[measure])
                    for number, cycle in enumerate(cycles, 1)
                    if cycle.get(measure) is not None
                ]
                if found:
                    panel.plot(*zip(*found, strict=True), **styles[name])
            panel.set_title(measure)
            panel.grid(alpha=0.3)
            panel.xaxis.get_major_locator().set_params(integer=True)
        for panel in panels[len(measures) :]:
            panel.axis("off")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="lower right", frameon=False)
        figure.supxlabel("cycle")
        figure.tight_layout()
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)
