"""How much teachers' words speak for what a memory says, and in which order things were said."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.contracts.memories import Evidence, Memory

FEEDBACK_WEIGHT = 2.0
CHAT_WEIGHT = 1.0
OLD_AFTER = timedelta(days=90)
OLD_FACTOR = 0.5


def was_said_before(memory: Memory, rival: Memory) -> bool:
    """True if a trace or document that is read again is older than what was read since.

    Feedback may come long after its trace: it counts as said when it is read.
    """
    if memory.reviewed_by or any(item.signal_id for item in memory.evidence):
        return False
    said, since = times(memory), times(rival)
    return bool(said and since) and max(said) < max(since)


def times(memory: Memory) -> list[datetime]:
    times = (memory.document_given_at, *(item.said_at for item in memory.evidence))
    return [at for at in times if at is not None]


def of_other_sessions(seconding: Sequence[Memory], memory: Memory) -> list[Memory]:
    """Those of another session than a memory's: who now says something else speaks for that."""
    sessions = _sessions(memory)
    return [item for item in seconding if not (item.evidence and _sessions(item) <= sessions)]


def _sessions(memory: Memory) -> set[object]:
    return {item.session for item in memory.evidence}


def weight(memories: Sequence[Memory], now: datetime) -> float:
    """How much teachers' words speak for what some memories say; without end once one is accepted.

    What was said before authors were kept counts like a teacher's words.
    """
    if any(memory.reviewed_by for memory in memories):
        return math.inf
    by_session: dict[object, float] = {
        memory.document_id: FEEDBACK_WEIGHT for memory in memories if memory.document_id
    }
    for item in (item for memory in memories for item in memory.evidence):
        if item.by_teacher or item.author is None:
            by_session[item.session] = max(by_session.get(item.session, 0.0), _weight_of(item, now))
    return sum(by_session.values())


def _weight_of(item: Evidence, now: datetime) -> float:
    full = CHAT_WEIGHT if item.signal_id is None else FEEDBACK_WEIGHT
    is_old = item.said_at is not None and now - item.said_at > OLD_AFTER
    return full * OLD_FACTOR if is_old else full
