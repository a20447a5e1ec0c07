"""What the turns of a batch teach, each beside the one before it, and which are taken back."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from shared.contracts.traces import Signal, Trace
from worker.screens.own_words import own_words
from worker.triage.turns import Said, lesson_in, takes_back

# Longer turns are not read for lessons: some patterns take the square of a text's length.
MAX_SAID_CHARS = 2000


def edited_in(
    traces: Sequence[Trace], signals: Sequence[Signal], by_id: Mapping[UUID, Trace]
) -> set[UUID]:
    """The traces whose turn was written anew.

    Not a lesson in whose place none was given: conversations that begin alike are one session
    unless clients name theirs, and the other turn may be somebody else's.
    """
    found = {signal.trace_id for signal in signals if signal.source == "edited"}
    teaching = {t.id: t for t in traces if t.id in found and said_in(t, by_id)}
    for lesson in teaching.values():
        anew = (
            trace
            for trace in traces
            if trace.id > lesson.id
            and (trace.session, len(trace.messages)) == (lesson.session, len(lesson.messages))
        )
        if not any(said_in(trace, by_id) for trace in anew):
            found.remove(lesson.id)
    return found


def said_in(trace: Trace, by_id: Mapping[UUID, Trace]) -> Said | None:
    """What a trace's turn teaches."""
    said = own_words(trace.user_text)
    if not said or len(said) > MAX_SAID_CHARS:
        return None
    before = by_id.get(trace.parent_id) if trace.parent_id else None
    return lesson_in(said, *(_read_of(before) if before else ()))


def taken_back_in(traces: Sequence[Trace], by_id: Mapping[UUID, Trace]) -> set[UUID]:
    """The traces whose turn the next one takes back."""
    pairs = ((trace, by_id.get(trace.parent_id)) for trace in traces if trace.parent_id)
    return {
        before.id
        for trace, before in pairs
        if before is not None and takes_back(trace.user_text[:MAX_SAID_CHARS], _read_of(before)[0])
    }


def _read_of(before: Trace) -> tuple[str, str]:
    """Of the turn before what its question may be in, and how its reply begins."""
    return before.user_text[-MAX_SAID_CHARS:], before.reply_text[:MAX_SAID_CHARS]
