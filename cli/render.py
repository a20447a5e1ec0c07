"""Tables: of what Dormouse learned (cycles, the gate's report, adapters, memories), and of keys."""

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
            _coloured(cycle["status"]),
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
        ("status", _coloured(cycle["status"])),
        ("stage", cycle.get("stage") or ""),
        ("why", escape(cycle.get("reason") or cycle.get("trigger") or "")),
        ("counts", counts),
        ("stages", stages),
        ("adapter", _version(cycle.get("adapter"))),
        ("error", f"[red]{escape(cycle['error'])}[/]" if cycle.get("error") else ""),
    ]
    return Group(_pairs(rows), gate_table(cycle.get("gate")))


def adapter_table(adapters: list[Json]) -> Table:
    """Adapter versions, newest first."""
    table = _table("version", "state", "from", "gate", "memories", "sha256", "created")
    for adapter in adapters:
        gate = adapter.get("gate")
        table.add_row(
            str(adapter["version"]),
            _coloured(adapter["state"]),
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
        ("state", _coloured(adapter["state"])),
        ("model", escape(adapter.get("model") or "")),
        ("trained from", _version(adapter.get("parent")) or "base"),
        ("sleep cycle", adapter.get("cycle_id") or ""),
        ("sha256", adapter["sha256"]),
        ("created", _when(adapter.get("created_at"))),
        ("override", escape(f"{override}: {adapter.get('override_reason')}") if override else ""),
        ("memories", "\n".join(adapter.get("memories") or [])),
    ]
    return Group(_pairs(rows), gate_table(adapter.get("gate")))


def memory_table(memories: list[Json]) -> Table:
    """What was learned, or not, and why."""
    table = _table("memory", "kind", "class", "state", "question", "value", "why")
    for memory in memories:
        table.add_row(
            memory["id"],
            memory["kind"],
            memory["persistence"],
            _coloured(memory["state"]),
            escape(memory.get("question") or ""),
            escape(memory.get("value") or ""),
            escape(memory.get("reason") or ""),
        )
    return table


def document_table(documents: list[Json]) -> Table:
    """Documents, oldest first."""
    table = _table("document", "title", "state", "sentences", "memories", "unfit", "no fact")
    for document in documents:
        counts = document.get("counts") or {}
        names = ("sentences", "memories", "unfit", "without_fact")
        table.add_row(
            document["id"],
            escape(document["title"]),
            _coloured(document["state"]),
            *(str(counts.get(name, "")) for name in names),
        )
    return table


def memory_details(memory: Json) -> RenderableType:
    """One memory, with the words that it rests on."""
    evidence = [f"{item['trace_id']}: “{item['quote']}”" for item in memory.get("evidence") or []]
    names = "id kind persistence state scope subject relation question answer value reason"
    names += " expires_at superseded_by reviewed_by document_id cycle_id created_at"
    rows = [(name.replace("_", " "), escape(str(memory.get(name) or ""))) for name in names.split()]
    return _pairs([*rows, ("evidence", escape("\n".join(evidence)))])


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
            _coloured(_state_of_key(key, now)),
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
            "memory",
            "state",
            "status",
            "suite",
            "version",
            "sha256",
            "",
        )
        table.add_column(heading, no_wrap=keep)
    return table


def _pairs(rows: list[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in rows:
        if value:
            table.add_row(f"[dim]{name}[/]", value)
    return table


def _score(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"


def _coloured(word: str) -> str:
    colour = _COLOURS.get(word)
    return f"[{colour}]{word}[/]" if colour else word


def _version(version: int | None) -> str:
    return "" if version is None else str(version)


def _when(time: str | None) -> str:
    return time[:19].replace("T", " ") if time else ""
