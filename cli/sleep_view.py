"""Follows one sleep cycle until it ends, stage by stage."""

import time
from collections.abc import Callable
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from cli.errors import ApiError
from shared.contracts.cycles import ACTIVE_STATUSES, Stage

STAGES = {
    Stage.COLLECT: "gather the day's traces",
    Stage.TRIAGE: "decide what deserves to persist",
    Stage.RESOLVE: "settle contradictions",
    Stage.SEED: "write training examples",
    Stage.DREAM: "rehearse what it knew",
    Stage.TRAIN: "distil into a new adapter",
    Stage.GATE: "prove it against the active one",
    Stage.RETRAIN: "the same without what leaked",
    Stage.REGATE: "prove that one",
    Stage.WAKE: "swap it in, or reject it",
}
SECOND_TRY = (Stage.RETRAIN, Stage.REGATE)
POLL_S = 0.5
# How long the API may be away while a cycle is followed, as when it is restarted.
PATIENCE_S = 60.0

Cycle = dict[str, Any]


def follow_cycle(
    read: Callable[[], Cycle], console: Console, *, timeout_s: float | None = None
) -> Cycle:
    """Show a cycle live until it ends, and return its last state.

    Args:
        read: Reads `GET /admin/sleep-cycles/{id}`.
        console: Where to show it: live on a terminal, plain lines elsewhere.
        timeout_s: How long to follow it; None for as long as it takes.

    Raises:
        ApiError: If the API refuses, or is away for longer than `PATIENCE_S`.
        TimeoutError: If the cycle has not ended after `timeout_s`.
    """
    view = _LiveView(console) if console.is_terminal else _PlainView(console)
    began = last_answer = time.monotonic()
    with view:
        while True:
            try:
                cycle = read()
                last_answer = time.monotonic()
            except ApiError as error:
                away_s = time.monotonic() - last_answer
                if 0 < error.status_code < 500 or away_s > PATIENCE_S:
                    raise
            else:
                view.show(cycle)
                if cycle["status"] not in ACTIVE_STATUSES:
                    return cycle
            if timeout_s is not None and time.monotonic() - began > timeout_s:
                raise TimeoutError(f"The sleep cycle has not ended after {timeout_s:.0f} s.")
            time.sleep(POLL_S)


class _LiveView:
    """Every stage on a line of its own, redrawn in place."""

    def __init__(self, console: Console) -> None:
        self._cycle: Cycle = {"status": "queued"}
        self._spinner = Spinner("dots", style="cyan")
        self._live = Live(get_renderable=self._draw, console=console, refresh_per_second=8)

    def __enter__(self) -> None:
        self._live.start()

    def __exit__(self, *exception: object) -> None:
        self._live.stop()

    def show(self, cycle: Cycle) -> None:
        """Take in the newest state; drawing happens by itself."""
        self._cycle = cycle

    def _draw(self) -> Group:
        table = Table.grid(padding=(0, 1))
        for stage, meaning in _stages_of(self._cycle).items():
            table.add_row(*self._row(stage, meaning))
        return Group(table, Text.from_markup(f"  [dim]{_counts(self._cycle)}[/]"))

    def _row(self, stage: Stage, meaning: str) -> tuple[Any, ...]:
        took_s = (self._cycle.get("stages") or {}).get(stage)
        running = self._cycle["status"] == "running" and self._cycle.get("stage") == stage
        if took_s is not None and not running:
            return ("  [green]✓[/]", f"{stage:<8}", f"[dim]{meaning}[/]", f"[dim]{took_s:.1f} s[/]")
        if not running:
            return ("  [dim]·[/]", f"[dim]{stage:<8}[/]", f"[dim]{meaning}[/]", "")
        progress = float(self._cycle.get("progress") or 0.0)
        bar = ProgressBar(total=1.0, completed=progress, width=24, pulse=progress == 0.0)
        spinner = Padding(self._spinner, (0, 0, 0, 2))
        return (spinner, f"[bold]{stage:<8}[/]", escape(self._cycle.get("detail") or meaning), bar)


class _PlainView:
    """One line when a stage begins and one when it is done: for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said: set[str] = set()

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exception: object) -> None:
        return None

    def show(self, cycle: Cycle) -> None:
        """Say what is new."""
        for stage, took_s in (cycle.get("stages") or {}).items():
            self._say(f"  {stage:<8} done in {took_s:.1f} s")
        stage = cycle.get("stage")
        if cycle["status"] == "running" and stage and stage not in (cycle.get("stages") or {}):
            quarter = int(float(cycle.get("progress") or 0.0) * 4) * 25
            said = f"  {stage:<8} {quarter:>3} %  {cycle.get('detail') or STAGES[Stage(stage)]}"
            self._say(said, key=f"{stage}/{quarter}")

    def _say(self, line: str, *, key: str | None = None) -> None:
        if (key or line) not in self._said:
            self._said.add(key or line)
            self._console.print(line, markup=False)


def _stages_of(cycle: Cycle) -> dict[Stage, str]:
    """The stages that a cycle goes through; one that proposes ends early, few try twice."""
    known = {*(cycle.get("stages") or {}), cycle.get("stage")}
    names = [name for name in STAGES if name not in SECOND_TRY or name in known]
    last = cycle.get("stop_after") or names[-1]
    return {name: STAGES[name] for name in names[: names.index(Stage(last)) + 1]}


def _counts(cycle: Cycle) -> str:
    counts = cycle.get("counts") or {}
    return "  ".join(f"{count} {name}" for name, count in counts.items() if count)
