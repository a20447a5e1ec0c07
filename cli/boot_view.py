"""Shows a stack's start and end: a live table on a terminal, plain lines elsewhere."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table

from cli.service import STACK, Event, EventKind

_MARKS: dict[EventKind, str] = {
    "ready": "[green]ready[/]",
    "done": "[green]done[/]",
    "died": "[red]died[/]",
    "restarting": "[yellow]restarting[/]",
    "stopped": "[dim]stopped[/]",
}


class BootView:
    """A context manager whose `on_event` is handed to a `LocalStack`.

    Args:
        console: Where to show it.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: dict[str, Event] = {}
        self._began: dict[str, float] = {}
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(
                get_renderable=self._table, console=self._console, refresh_per_second=8
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def on_event(self, event: Event) -> None:
        """Show one event. Failures are left to whoever catches the `StackError`."""
        if event.service == STACK:
            if event.detail and event.kind != "failed":
                self._console.print(f"[yellow]note[/] {event.detail}")
            return
        if event.kind == "starting":
            self._began[event.service] = time.monotonic()
        self._last[event.service] = event
        if self._live is None and event.kind != "starting":
            self._console.print(f"  {event.service:<11}{event.kind:<11}{_more(event)}".rstrip())

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for name, event in self._last.items():
            if event.kind == "starting":
                waited_s = time.monotonic() - self._began[name]
                table.add_row(f"  {name}", Spinner("dots", "starting"), f"[dim]{waited_s:.0f} s[/]")
            else:
                table.add_row(f"  {name}", _MARKS.get(event.kind, event.kind), _more(event))
        return table


def _more(event: Event) -> str:
    took = f"{event.elapsed_s:.1f} s" if event.elapsed_s else ""
    return " ".join(part for part in (event.detail, took) if part)
