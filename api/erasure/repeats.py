"""Which later turns of a conversation repeat an earlier one's words."""

from collections.abc import Sequence
from itertools import pairwise
from uuid import UUID

from shared.contracts.traces import Trace, content_text

# Turns up to this long are held by conversations that have nothing to do with each other.
MAX_GREETING_CHARS = 16


def repeating(trace_id: UUID, conversation: Sequence[Trace]) -> list[UUID]:
    """The trace, the same request again, and those later turns whose requests repeat one of these.

    A session that a client names may also hold turns that repeat nothing.

    Args:
        trace_id: What is to be erased.
        conversation: Its session, and what came after it, oldest first. Of what is erased already
            the words are gone: what goes on behind it is taken to repeat it.
    """
    [asked] = [trace.messages for trace in conversation if trace.id == trace_id]
    found: dict[UUID, Trace] = {}
    gone: set[UUID | None] = set()
    for trace in conversation:
        if not trace.request:
            gone.add(trace.id)
            continue
        history = [content_text(message.get("content")) for message in trace.messages[:-1]]
        goes_on = any(message.get("role") == "assistant" for message in trace.messages[:-1])
        if (
            trace.id == trace_id
            or (asked and trace.messages == asked)
            or (trace.parent_id in gone and goes_on)
            or any(_repeats(trace, history, earlier) for earlier in found.values())
        ):
            found[trace.id] = trace
    return list(found)


def _repeats(trace: Trace, history: Sequence[str], earlier: Trace) -> bool:
    """Whether a request's history holds the turn of an earlier one, which others may begin like."""
    turn = content_text((earlier.messages or [{}])[-1].get("content"))
    choices = (earlier.reply or {}).get("choices", [])
    replies = {content_text(choice.get("message", {}).get("content")) for choice in choices}
    if trace.parent_id == earlier.id:
        return not (replies | {turn}).isdisjoint({*history} - {""})
    if len(turn) > MAX_GREETING_CHARS and turn in history:
        return True
    return any(said == turn and answered in replies for said, answered in pairwise(history))
