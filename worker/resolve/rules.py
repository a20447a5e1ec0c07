"""What becomes of memories that share a key, as a pure function.

Versions are told apart by key, evidence and order, in code (arXiv 2606.01435): newest alone never
wins silently. What speaks for a memory is counted in sessions, not in repetitions: each session
once, twice if somebody sent feedback, half if it is old; a document counts like feedback. Of equal
weights what was said later wins; what weighs less is held until more sessions say it, or a person
decides.
"""

import math
import random
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from shared.contracts.memories import Evidence, Memory, MemoryChange
from worker.triage.language import words

FEEDBACK_WEIGHT = 2.0
CHAT_WEIGHT = 1.0
OLD_AFTER = timedelta(days=90)
OLD_FACTOR = 0.5


def resolve_memories(
    old: Sequence[Memory],
    new: Sequence[Memory],
    held: Sequence[Memory] = (),
    turned_down: Sequence[Memory] = (),
    *,
    now: datetime,
) -> list[MemoryChange]:
    """Compare each new memory with what is in force, and with the others of its batch.

    Args:
        old: Memories that are in the weights or wait to be, oldest first.
        new: This cycle's memories, oldest first.
        held: Memories that wait for a person; what says the same as a new one speaks for it.
        turned_down: Memories that a person rejected: who says the same again waits for a person.
        now: Decides what is old.

    Returns:
        Only what changes: what stays out of it is learned as it is.
    """
    in_force = {memory.key: memory for memory in old}
    # What says the same as who is in force, by key: it speaks for it, too.
    seconding: dict[tuple[str, str, str], list[Memory]] = {}
    waiting = list(held)
    changes: list[MemoryChange] = []
    for memory in new:
        rival = in_force.get(memory.key)
        if rival is not None and same_value(rival, memory):
            changes.append(_same(rival, memory))
            seconding.setdefault(memory.key, []).append(memory)
            continue
        if memory.reviewed_by is None and (again := _saying_the_same(memory, turned_down)):
            changes.append(_hold(memory, _was_rejected(again[-1])))
            continue
        allies = _saying_the_same(memory, waiting)
        if taken_back := [ally for ally in allies if _is_read_again(memory, ally)]:
            changes.append(_hold(memory, _was_rolled_back(taken_back[-1])))
            continue
        if rival is None:
            in_force[memory.key] = memory
            changes += [_same(memory, ally) for ally in allies if ally.state == "held"]
            continue
        was_before = _was_said_before(memory, rival)
        # What is read again is weighed as when the later words came: these have aged since.
        then = max(_times(rival)) if was_before else now
        speaking = weight([memory, *allies], then)
        against = weight([rival, *_others(seconding.get(memory.key, []), memory)], then)
        if speaking > against or (speaking == against and not was_before):
            decided = {ally.id for ally in allies}
            changes = [change for change in changes if change.memory_id not in decided]
            changes.append(_supersede(rival, memory, speaking, against))
            changes += [_same(memory, ally) for ally in allies]
            in_force[memory.key], seconding[memory.key] = memory, allies
        else:
            changes.append(_hold(memory, _contradicts(rival, speaking, against)))
            waiting.append(memory)
    return [_to_the_last(change, changes) for change in changes]


def _to_the_last(change: MemoryChange, changes: Sequence[MemoryChange]) -> MemoryChange:
    """A memory gives way to the one that stays in the end: only that one is ever learned."""
    if change.state != "superseded" or change.says_the_same:
        return change
    next_of = {c.memory_id: c.superseded_by for c in changes if not c.says_the_same}
    last = change.superseded_by
    while last is not None and next_of.get(last) is not None:
        last = next_of[last]
    return change.model_copy(update={"superseded_by": last})


def portion(
    new: Sequence[Memory],
    changes: Sequence[MemoryChange],
    limit: int,
    rng: random.Random,
    *,
    unaskable: Collection[UUID] = (),
) -> tuple[list[UUID], list[MemoryChange]]:
    """What one cycle learns: up to `limit` of the new memories that nothing changes.

    What a night costs, and how far it moves the model, is the same however much waits. Which ones
    is drawn: a few that are never learned must not keep all others waiting. What a postponed
    memory replaces stays in force until its own night. What no question asks for waits for ever, in
    the context of chats: nothing could tell whether it was learned.

    Returns:
        The memories to learn, and the changes that go with them.
    """
    changed = {change.memory_id for change in changes}
    waiting = [memory.id for memory in new if memory.id not in changed]
    askable = [memory_id for memory_id in waiting if memory_id not in unaskable]
    tonight = set(rng.sample(askable, min(limit, len(askable))))
    postponed = set(waiting) - tonight
    kept = [change for change in changes if change.superseded_by not in postponed]
    return [memory_id for memory_id in waiting if memory_id in tonight], kept


def same_value(first: Memory, second: Memory) -> bool:
    """True if two memories say the same."""
    return words(first.value) == words(second.value)


def _saying_the_same(memory: Memory, others: Sequence[Memory]) -> list[Memory]:
    return [item for item in others if item.key == memory.key and same_value(item, memory)]


def _is_read_again(memory: Memory, ally: Memory) -> bool:
    """True if a memory has no word for it but those of one that was rolled back."""
    sources = _sources(memory)
    return ally.state == "rolled_back" and bool(sources) and sources <= _sources(ally)


def _sources(memory: Memory) -> set[UUID | None]:
    return {item.trace_id for item in memory.evidence} | ({memory.document_id} - {None})


def _was_said_before(memory: Memory, rival: Memory) -> bool:
    """True if a trace or document that is read again is older than what was read since.

    Feedback may come long after its trace: it counts as said when it is read.
    """
    if memory.reviewed_by or any(item.signal_id for item in memory.evidence):
        return False
    said, since = _times(memory), _times(rival)
    return bool(said and since) and max(said) < max(since)


def _times(memory: Memory) -> list[datetime]:
    times = (memory.document_given_at, *(item.said_at for item in memory.evidence))
    return [at for at in times if at is not None]


def _others(seconding: Sequence[Memory], memory: Memory) -> list[Memory]:
    """Those of another session than a memory's: who now says something else speaks for that."""
    sessions = _sessions(memory)
    return [item for item in seconding if not (item.evidence and _sessions(item) <= sessions)]


def _sessions(memory: Memory) -> set[object]:
    return {item.session_id or item.trace_id for item in memory.evidence}


def weight(memories: Sequence[Memory], now: datetime) -> float:
    """How much speaks for what some memories say; without end once a person accepted it."""
    if any(memory.reviewed_by for memory in memories):
        return math.inf
    by_session: dict[object, float] = {
        memory.document_id: FEEDBACK_WEIGHT for memory in memories if memory.document_id
    }
    for item in (item for memory in memories for item in memory.evidence):
        session = item.session_id or item.trace_id
        by_session[session] = max(by_session.get(session, 0.0), _weight_of(item, now))
    return sum(by_session.values())


def _weight_of(item: Evidence, now: datetime) -> float:
    full = CHAT_WEIGHT if item.signal_id is None else FEEDBACK_WEIGHT
    is_old = item.said_at is not None and now - item.said_at > OLD_AFTER
    return full * OLD_FACTOR if is_old else full


def _same(rival: Memory, memory: Memory) -> MemoryChange:
    return MemoryChange(
        memory_id=memory.id,
        state="superseded",
        superseded_by=rival.id,
        reason=f"says the same as memory {rival.id}, which stays in force",
        was=memory.state,
        says_the_same=True,
    )


def _supersede(rival: Memory, memory: Memory, speaking: float, against: float) -> MemoryChange:
    return MemoryChange(
        memory_id=rival.id,
        was=rival.state,
        state="superseded",
        superseded_by=memory.id,
        reason=(
            f"{rival.value!r} gives way to {memory.value!r}: said later, with evidence of weight "
            f"{speaking:g} against {against:g}"
        ),
    )


def _hold(memory: Memory, reason: str) -> MemoryChange:
    return MemoryChange(memory_id=memory.id, was=memory.state, state="held", reason=reason)


def _contradicts(rival: Memory, speaking: float, against: float) -> str:
    return (
        f"contradicts memory {rival.id} ({rival.value!r}), for which more speaks, or was said "
        f"later ({against:g} against {speaking:g}): it waits for a person or for more evidence"
    )


def _was_rejected(rejected: Memory) -> str:
    return (
        f"says the same as memory {rejected.id}, which {rejected.reviewed_by} rejected: it "
        "waits for a person"
    )


def _was_rolled_back(taken_back: Memory) -> str:
    return (
        f"its traces were read again, and memory {taken_back.id}, which says the same, was "
        "rolled back: it waits for a person"
    )
