"""The conversations that a memory rests on, with the words that it was read from marked."""

import re
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from cli.client import DormouseClient
from cli.errors import ApiError
from cli.memory_view import short_id, taught
from cli.render import coloured
from shared.contracts.traces import content_text

Json = dict[str, Any]

# What is shown of one memory's evidence, and of one conversation.
MAX_TRACES = 5
MAX_TURNS = 4
MAX_TURN_CHARS = 700
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class EvidenceReader:
    """Fetches what a reviewer wants to see beside a memory, each thing once.

    Args:
        client: The API; without an admin key it shows no conversations.
    """

    def __init__(self, client: DormouseClient) -> None:
        self._client = client
        self._traces: dict[str, Json | None] = {}
        self._may_read = True

    def conversations(self, memory: Json) -> RenderableType | None:
        """Its evidence, each quote in its conversation; None where it has none."""
        evidence = memory.get("evidence") or []
        shown: list[RenderableType] = []
        for item in evidence[:MAX_TRACES]:
            record = self._trace(item["trace_id"])
            shown.append(Text(f"trace {item['trace_id']}{_by(item)}", style="dim"))
            turns = _turns(record, item) if record else Text(f"**{item['quote']}**")
            shown.append(Padding.indent(turns, 2))
        if len(evidence) > MAX_TRACES:
            shown.append(Text(f"and {len(evidence) - MAX_TRACES} more", style="dim"))
        if not self._may_read and evidence:
            shown.append(Text("The whole conversations take an admin key.", style="dim"))
        if memory.get("document_id"):
            shown.append(Text(f"document {memory['document_id']}", style="dim"))
        return Group(*shown) if shown else None

    def rivals(self, memory: Json) -> RenderableType | None:
        """The memories that its reason names, if they are still there."""
        named = dict.fromkeys(_ID.findall(memory.get("reason") or ""))
        shown: list[RenderableType] = []
        for memory_id in named:
            try:
                rival = self._client.memory(memory_id)
            except ApiError:
                # A trace's id, or a memory that is gone.
                continue
            head = f"[dim]{short_id(memory_id)}[/]  {coloured(rival['state'])}"
            if rival.get("reviewed_by"):
                head += f"  [dim]decided by {rival['reviewed_by']}[/]"
            shown += [Text.from_markup(head), Padding.indent(taught(rival), 2)]
        return Group(*shown) if shown else None

    def _trace(self, trace_id: str) -> Json | None:
        if self._may_read and trace_id not in self._traces:
            try:
                self._traces[trace_id] = self._client.trace(trace_id)
            except ApiError as error:
                self._may_read = error.status_code not in (401, 403)
                self._traces[trace_id] = None
        return self._traces.get(trace_id)


def how_many_said_it(memory: Json) -> str:
    """How many authors, in how many conversations, and whether a teacher was among them."""
    evidence = memory.get("evidence") or []
    authors = {item.get("author") for item in evidence} - {None}
    sessions = {(item.get("author"), item.get("session_id")) for item in evidence}
    told = f"{_count(len(authors), 'author')} in {_count(len(sessions), 'conversation')}"
    if any(item.get("by_teacher") for item in evidence):
        told += ", a teacher among them"
    return told + (", and a document" if memory.get("document_id") else "")


def _count(number: int, name: str) -> str:
    return f"{number} {name}" + ("" if number == 1 else "s")


def _by(item: Json) -> str:
    by = f" by author {item['author'][-6:]}" if item.get("author") else ""
    return by + (" (a teacher)" if item.get("by_teacher") else "")


def _turns(record: Json, item: Json) -> RenderableType:
    said = record["trace"]
    choices = (said.get("reply") or {}).get("choices", [])[:1]
    messages = [*said["request"].get("messages", []), *(choice["message"] for choice in choices)]
    turns = [(turn["role"], content_text(turn.get("content"))) for turn in messages]
    turns = turns[-MAX_TURNS:]
    for signal in record.get("signals", []):
        if signal.get("id") == item.get("signal_id") and item.get("signal_id"):
            words = signal.get("correction") or signal.get("comment") or ""
            turns.append((signal["source"], words))
    return Group(*(_turn(role, text, item["quote"]) for role, text in turns))


def _turn(role: str, text: str, quote: str) -> Text:
    line = Text(f"{role}: ", style="dim")
    at = text.lower().find(quote.lower()) if quote else -1
    if at < 0:
        return line.append(_cut(text), "not dim")
    end = at + len(quote)
    line.append(text[max(0, at - MAX_TURN_CHARS) : at], "not dim")
    line.append(f"**{text[at:end]}**", "not dim bold yellow")
    return line.append(_cut(text[end:]), "not dim")


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TURN_CHARS else f"{text[:MAX_TURN_CHARS]} ..."
