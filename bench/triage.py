"""Triage against labelled conversations: what goes into the weights, and what must not.

Each conversation of `bench/data/triage*.jsonl` has the persistence that a person would give it:
corrections in the next turn and in feedback, things told, wishes for one conversation or one
person, ordinary chat that looks like correction, tool traces, secrets and injected instructions.
The rules were written with `triage.jsonl` in sight, and with another set that is not kept.
All others (four in `triage_more.jsonl`) were written without knowing them, each read once, and then
mended and fitted on: today's figures are of sets that were seen. Decisions 0005 and 0029 have the
first readings, and `bench/reader.py` reads each set with what was fitted on the others.
"""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from bench.report import console, save, show
from shared.contracts.base import new_id
from shared.contracts.memories import Persistence
from shared.contracts.traces import Signal, Trace
from worker.screens.lessons import why_doubted
from worker.triage.rules import judge

DATA = Path(__file__).parent / "data"
SETS = (
    "triage",
    "triage_unseen",
    "triage_more",
    "triage_varied",
    "triage_bare",
    "triage_misleading",
    "triage_people",
    "triage_week",
)
OWNER = UUID(int=1)
# What counts where a conversation's traces get different decisions.
STRONGEST: tuple[Persistence, ...] = ("long_term", "session", "discard")


def read_set(name: str) -> list[dict[str, Any]]:
    """The labelled conversations of one file."""
    return [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text().splitlines()]


def decide(item: dict[str, Any], *, is_screened: bool = True) -> Persistence:
    """What triage and the screens make of one conversation with a teacher."""
    traces: list[Trace] = []
    messages: list[dict[str, Any]] = list(item.get("messages", []))
    if messages:
        traces.append(_trace(messages, item["reply"], None))
    turns = item.get("turns", [])
    for said, replied in zip(turns[::2], turns[1::2], strict=True):
        messages = [*messages, {"role": "user", "content": said}]
        traces.append(_trace(messages, replied, traces[-1] if traces else None))
        messages = [*messages, {"role": "assistant", "content": replied}]
    signals = []
    if "correction" in item or "rating" in item:
        signals.append(
            Signal(
                id=new_id(),
                trace_id=traces[-1].id,
                source="feedback",
                correction=item.get("correction"),
                rating=item.get("rating"),
                created_at=datetime.now(UTC),
            )
        )
    decisions, findings = judge(traces, signals)
    found = {decision.persistence for decision in decisions}
    lasting = [finding for finding in findings if finding.persistence == "long_term"]
    if is_screened and lasting and all(why_doubted(finding) for finding in lasting):
        # Held for a person: it does not go into the weights.
        found.remove("long_term")
        found.add("discard")
    return next(persistence for persistence in STRONGEST if persistence in found)


def _trace(messages: list[dict[str, Any]], reply: str, before: Trace | None) -> Trace:
    return Trace(
        id=new_id(),
        tenant_id=OWNER,
        model_id=OWNER,
        session_id=before.session_id if before else new_id().hex,
        parent_id=before.id if before else None,
        status="complete",
        request={"messages": messages},
        reply={"choices": [{"message": {"role": "assistant", "content": reply}}]},
        thread_sha256="",
        created_at=datetime.now(UTC),
    )


def measure(items: list[dict[str, Any]], *, screen_all: bool = True) -> dict[str, Any]:
    """Precision and recall of what goes into the weights, and every wrong decision.

    The screens take a tenth of a second each: without `screen_all` they see only what they must
    hold.
    """
    decided = [
        (item, decide(item, is_screened=screen_all or item["group"].startswith("unfit")))
        for item in items
    ]
    kept = [item for item, found in decided if found == "long_term"]
    wanted = [item for item in items if item["expect"] == "long_term"]
    num_right = sum(item["expect"] == "long_term" for item in kept)
    return {
        "num": len(items),
        "precision": num_right / max(len(kept), 1),
        "recall": num_right / max(len(wanted), 1),
        "unfit_in_weights": sum(item["group"].startswith("unfit") for item in kept),
        "right": sum(item["expect"] == found for item, found in decided) / len(items),
        "groups": dict(Counter(item["group"] for item in items)),
        "wrong": [{**item, "found": found} for item, found in decided if item["expect"] != found],
    }


def main(
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the figures.")] = None,
    verbose: Annotated[bool, typer.Option(help="Show every wrong decision.")] = False,
) -> None:
    """Precision and recall of triage on each set."""
    found = {name: measure(read_set(name)) for name in SETS}
    rows = [
        (
            name,
            figures["num"],
            f"{figures['precision']:.3f}",
            f"{figures['recall']:.3f}",
            figures["unfit_in_weights"],
            f"{figures['right']:.3f}",
        )
        for name, figures in found.items()
    ]
    columns = ("", "conversations", "precision", "recall", "unfit in weights", "all classes right")
    show("What goes into the weights", columns, rows)
    for item in (item for figures in found.values() for item in figures["wrong"] if verbose):
        said = item.get("correction") or [*item.get("turns", []), item.get("reply", "")][-2]
        console.print(f"  {item['group']}: {said} [red]{item['found']}[/], not {item['expect']}")
    save(json_path, found)


if __name__ == "__main__":
    typer.run(main)
