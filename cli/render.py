"""Tables: of what Dormouse learned (cycles, gate reports, adapters, documents), and of keys."""

from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

Json = dict[str, Any]

_COLOURS = {
    "active": "green",
    "promoted": "green",
    "learned": "green",
    "usable": "green",
    "running": "cyan",
    "queued": "cyan",
    "candidate": "cyan",
    "rejected": "red",
    "failed": "red",
    "revoked": "red",
    "proposed": "green",
    "held": "yellow",
    "rolled_back": "yellow",
    "cancelled": "yellow",
}


def gate_table(gate: Json | None) -> RenderableType:
    """The gate's report: each suite, the candidate against the baseline."""
    if gate is None:
        return Text("The gate was not reached.", style="dim")
    table = _table("suite", "before", "candidate", "margin", "probes", "")
    for suite in gate.get("suites", []):
        table.add_row(
            suite["name"] + (" since the base" if suite.get("against") == "base" else ""),
            _score(suite["baseline"]),
            _score(suite["candidate"]),
            _score(suite["margin"]),
            str(suite.get("num_probes") or ""),
            "[green]passed[/]" if suite["passed"] else "[bold red]failed[/]",
        )
    verdict = "[green]The gate passed it.[/]" if gate["passed"] else "[red]The gate refused it.[/]"
    return Group(table, Text.from_markup(f"{verdict} {escape(gate.get('reason') or '')}"))


def cycle_table(cycles: list[Json]) -> Table:
    """Cycles, newest first."""
    table = _table("cycle", "status", "stage", "traces", "memories", "adapter", "started", "why")
    for cycle in cycles:
        counts = cycle.get("counts") or {}
        table.add_row(
            cycle["id"],
            coloured(cycle["status"]),
            cycle.get("stage") or "",
            str(counts.get("traces", "")),
            str(counts.get("memories", "")),
            _version(cycle.get("adapter")),
            _when(cycle.get("started_at")),
            escape(cycle.get("reason") or cycle.get("trigger") or ""),
        )
    return table


def cycle_details(cycle: Json) -> Group:
    """One cycle: what went through it, and what the gate said."""
    counts = "  ".join(f"{count} {name}" for name, count in (cycle.get("counts") or {}).items())
    stages = "  ".join(f"{name} {s:.1f} s" for name, s in (cycle.get("stages") or {}).items())
    rows = [
        ("cycle", cycle["id"]),
        ("status", coloured(cycle["status"])),
        ("stage", cycle.get("stage") or ""),
        ("why", escape(cycle.get("reason") or cycle.get("trigger") or "")),
        ("counts", counts),
        ("stages", stages),
        ("adapter", _version(cycle.get("adapter"))),
        ("error", f"[red]{escape(cycle['error'])}[/]" if cycle.get("error") else ""),
    ]
    return Group(pairs(rows), gate_table(cycle.get("gate")))


def adapter_table(adapters: list[Json]) -> Table:
    """Adapter versions, newest first."""
    table = _table("version", "state", "from", "gate", "memories", "sha256", "created")
    for adapter in adapters:
        gate = adapter.get("gate")
        table.add_row(
            str(adapter["version"]),
            coloured(adapter["state"]),
            _version(adapter.get("parent")) or "base",
            "" if gate is None else ("passed" if gate["passed"] else "[red]failed[/]"),
            str(adapter.get("num_memories") or 0),
            adapter["sha256"][:12],
            _when(adapter.get("created_at")),
        )
    return table


def adapter_details(adapter: Json) -> Group:
    """One adapter: lineage, checksum, gate report."""
    override = adapter.get("override_by")
    rows = [
        ("version", str(adapter["version"])),
        ("state", coloured(adapter["state"])),
        ("model", escape(adapter.get("model") or "")),
        ("trained from", _version(adapter.get("parent")) or "base"),
        ("sleep cycle", adapter.get("cycle_id") or ""),
        ("sha256", adapter["sha256"]),
        ("created", _when(adapter.get("created_at"))),
        ("override", escape(f"{override}: {adapter.get('override_reason')}") if override else ""),
        ("memories", "\n".join(adapter.get("memories") or [])),
    ]
    return Group(pairs(rows), gate_table(adapter.get("gate")))


def document_table(documents: list[Json]) -> Table:
    """Documents, oldest first."""
    table = _table("document", "title", "state", "sentences", "memories", "unfit", "no fact")
    for document in documents:
        counts = document.get("counts") or {}
        names = ("sentences", "memories", "unfit", "without_fact")
        table.add_row(
            document["id"],
            escape(document["title"]),
            coloured(document["state"]),
            *(str(counts.get(name, "")) for name in names),
        )
    return table


def key_table(keys: list[Json], *, now: datetime) -> Table:
    """Keys without the keys themselves, oldest first."""
    table = _table("key", "name", "role", "last used", "expires", "state")
    for key in keys:
        table.add_row(
            key["id"],
            escape(key["name"]),
            key["role"],
            _when(key.get("last_used_at"))[:16] or "never",
            _when(key.get("expires_at"))[:16] or "never",
            coloured(_state_of_key(key, now)),
        )
    return table


def _state_of_key(key: Json, now: datetime) -> str:
    if key.get("revoked_at"):
        return "revoked"
    expires_at = key.get("expires_at")
    is_over = expires_at is not None and datetime.fromisoformat(expires_at) <= now
    return "expired" if is_over else "usable"


def _table(*headings: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for heading in headings:
        keep = heading in (
            "cycle",
            "document",
            "key",
            "state",
            "status",
            "suite",
            "version",
            "sha256",
            "",
        )
        table.add_column(heading, no_wrap=keep)
    return table


def pairs(rows: list[tuple[str, str]]) -> Table:
    """Names, each with what it holds; markup is read, empty ones are left out."""
    table = Table.grid(padding=(0, 2))
    for name, value in rows:
        if value:
            table.add_row(f"[dim]{name}[/]", value)
    return table


def _score(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"


def coloured(word: str) -> str:
    """A state in its colour, as markup."""
    colour = _COLOURS.get(word)
    return f"[{colour}]{word}[/]" if colour else word


def _version(version: int | None) -> str:
    return "" if version is None else str(version)


def _when(time: str | None) -> str:
    return time[:19].replace("T", " ") if time else ""
