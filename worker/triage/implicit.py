"""What users say without words: they ask for another reply, or put their question anew.

Both are seen in the requests: one that ends where an earlier one of its session did, with the same
turn or with another in its place.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.contracts.traces import ImplicitSource, Trace, content_text

# Of the same request again and again only the last are remembered.
MAX_SAME = 16


@dataclass(frozen=True)
class Implied:
    """That what happened `with_trace` says something of another trace."""

    trace_id: UUID
    with_trace: UUID
    source: ImplicitSource

    @property
    def comment(self) -> str:
        """For people."""
        if self.source == "regenerated":
            return f"another reply was asked for: {self.with_trace}"
        return f"the turn was written anew: {self.with_trace}"


def implied_by(traces: Sequence[Trace], context: Iterable[Trace] = ()) -> list[Implied]:
    """What the traces of a batch, oldest first, say of earlier ones of their sessions.

    Args:
        traces: The batch.
        context: Settled traces, of which the batch may speak.
    """
    # Of each place in a conversation, the turns that were heard there, and in which traces.
    heard: dict[tuple[object, str], dict[str, list[UUID]]] = {}
    found: list[Implied] = []
    batch = {trace.id for trace in traces}
    for trace in (*context, *traces):
        *before, last = _turns(trace) or [("", "", None)]
        if last[0] != "user":
            continue
        here = heard.setdefault((trace.session, repr(before)), {})
        same = here.pop(repr(last), [])
        if trace.id in batch:
            found += [Implied(other, trace.id, "regenerated") for other in same[-1:]]
            # A client that sends no history asks something new with every request.
            if any(role == "assistant" for role, _, _ in before):
                others = [other for ids in here.values() for other in ids]
                found += [Implied(other, trace.id, "edited") for other in others]
                here.clear()
        here[repr(last)] = [*same, trace.id] if len(same) < MAX_SAME else [*same[1:], trace.id]
    return found


def _turns(trace: Trace) -> list[tuple[str, str, Any]]:
    return [
        (str(m.get("role")), content_text(m.get("content")), m.get("tool_calls") or None)
        for m in trace.messages
    ]
