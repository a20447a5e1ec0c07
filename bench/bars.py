"""What an arm must reach, and what it reached: medians over the seeds that it ran with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

MAX_GROWTH = 1.5
MAX_SECONDS = 3600.0


@dataclass(frozen=True)
class Bar:
    """Where a measure may lie; with `from_base`, its difference from the bare base's."""

    least: float | None = None
    most: float | None = None
    from_base: bool = False

    def holds(self, value: float) -> bool:
        """Whether a value lies there."""
        return (self.least is None or value >= self.least) and (
            self.most is None or value <= self.most
        )

    def __str__(self) -> str:
        if self.from_base:
            return f"base ± {self.most:g}"
        return f"≥ {self.least:g}" if self.least is not None else f"≤ {self.most:g}"


def near_base(margin: float) -> Bar:
    """No further than that from the base, to either side."""
    return Bar(least=-margin, most=margin, from_base=True)


BARS = {
    "acquired": Bar(least=0.95),
    "retained": Bar(least=0.95),
    "general": Bar(least=0.98),
    "drift": Bar(most=0.05),
    "leak": Bar(most=0.1),
    "confused": Bar(most=0.03),
    "followed": Bar(least=0.9),
    "updated": Bar(least=0.95),
    "stale": Bar(most=0.02),
    "blimp": near_base(0.005),
    "refused": near_base(0.02),
    "over_refused": near_base(0.02),
}
COLUMNS = ("measure", "bar", "all cycles", "last cycle", "holds")


@dataclass(frozen=True)
class Run:
    """One seed's figures: the bare base's, and each cycle's from the first on."""

    base: Mapping[str, float | None]
    cycles: Sequence[Mapping[str, Any]]

    def values(self, measure: str) -> list[float]:
        """A measure's values, of the cycles that have one."""
        found = [cycle[measure] for cycle in self.cycles if cycle.get(measure) is not None]
        if not BARS[measure].from_base:
            return found
        base = self.base.get(measure)
        # Counted to four digits: a difference must not miss a bar by the fifth.
        return [] if base is None else [round(value - base, 4) for value in found]

    @property
    def seconds(self) -> list[float]:
        """What each cycle took."""
        return [cycle["seconds"] for cycle in self.cycles]


def reached(runs: Sequence[Run]) -> list[tuple[str, ...]]:
    """A row for each bar, as `COLUMNS`: the median over the runs of their mean, and of their last.

    The bar is held against the last cycle. What no cycle measured has no row, nor has the growth of
    nights that take no time.
    """
    rows: list[tuple[str, ...]] = []
    for measure, bar in BARS.items():
        each = [values for run in runs if (values := run.values(measure))]
        if not each:
            continue
        last = median(values[-1] for values in each)
        mean = median(fmean(values) for values in each)
        rows.append((measure, str(bar), f"{mean:.3f}", f"{last:.3f}", _said(bar.holds(last))))
    if all(len(run.cycles) > 1 and run.seconds[1] for run in runs):
        growth = median(run.seconds[-1] / run.seconds[1] for run in runs)
        rows.append(
            ("last / second", f"≤ {MAX_GROWTH:g}", "", f"{growth:.2f}", _said(growth <= MAX_GROWTH))
        )
    spent = median(sum(run.seconds) for run in runs)
    rows.append(
        ("seconds of all", f"≤ {MAX_SECONDS:g}", f"{spent:.0f}", "", _said(spent <= MAX_SECONDS))
    )
    return rows


def as_bars(rows: Sequence[tuple[str, ...]], arm: str) -> list[dict[str, Any]]:
    """The rows of `reached` as a bench's JSON has them: name, value, bar and whether it holds."""
    return [
        {
            "name": f"{arm}: {name}",
            "value": float(last or mean),
            "bar": bar,
            "holds": holds == _said(True),
        }
        for name, bar, mean, last, holds in rows
    ]


def _said(holds: bool) -> str:
    return "yes" if holds else "no"
