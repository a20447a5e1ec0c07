"""A bench's figures as a table on the terminal and, if asked, as a JSON file."""

import json
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

# A log has no width: a table in it is whole.
console = Console(width=None if sys.stdout.isatty() else 160)


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print one table; the first column names the row, the others are figures."""
    table = Table(title=title, title_justify="left", box=None, header_style="dim", pad_edge=False)
    for index, heading in enumerate(columns):
        table.add_column(heading, justify="right" if index else "left")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    console.print(table)


def save(path: Path | None, figures: dict[str, Any]) -> None:
    """Write the figures with what they were measured on; nothing without a path."""
    if path is None:
        return
    machine = {
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine, **figures}, indent=2) + "\n")
    console.print(f"[dim]written to {path}[/]")
