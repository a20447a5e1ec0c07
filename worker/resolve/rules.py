"""What becomes of memories that share a key, as a pure function.

Versions are told apart by key, evidence and order, in code (arXiv 2606.01435): newest alone never
wins silently. First it is asked who stands for a memory (`worker/lessons/authority.py`): what
nobody whose word is enough stands for is held. Between what teachers said, sessions are counted,
not repetitions: each session once, twice if somebody sent feedback, half if it is old; a document
counts like feedback. Of equal weights what was said later wins; what weighs less is held until more
sessions say it, or a person decides.
"""

import math
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared.contracts.memories import Authority, Evidence, HeldFor, Memory, MemoryChange
from worker.lessons.authority import authority_of, num_authors, outranks
from worker.lessons.identity import asks_the_same, brings_back, same_value, says_the_same

FEEDBACK_WEIGHT = 2.0
CHAT_WEIGHT = 1.0
OLD_AFTER = timedelta(days=90)
OLD_FACTOR = 0.5
# More words for what waits for one of these speak for it; what a screen doubts they do not mend.
SECONDED: tuple[HeldFor | None, ...] = ("authors", "person", "conflict", None)


@dataclass(frozen=True)
class Asked:
    """What a memory is held to.

    Attributes:
        quorum: How many authors are enough where no teacher said it.
        why_person: Why a lesson always needs a teacher or a reviewer; None where it does not.
        why_doubted: What a lesson is held for that a screen doubts, whoever said it, and why; None
            where none does.
    """

    quorum: int = 2
    why_person: Callable[[Memory], str | None] = lambda _: None
    why_doubted: Callable[[Memory], tuple[HeldFor, str] | None] = lambda _: None


def resolve_memories(
    old: Sequence[Memory],
    new: Sequence[Memory],
    held: Sequence[Memory] = (),
    turned_down: Sequence[Memory] = (),
    *,
    now: datetime,
    asked: Asked | None = None,
) -> list[MemoryChange]:
    """Compare each new memory with what is in force, and with the others of its batch.

    Args:
        old: Memories that are in the weights, oldest first.
        new: Memories that wait to be, oldest first.
        held: Memories that wait for a person; what says the same as a new one speaks for it.
        turned_down: Memories that a person rejected: who says the same again waits for a person.
        now: Decides what is old.
        asked: What a memory is held to.

    Returns:
        Only what changes: what stays out of it is learned as it is. A change to `pending` says who
        stands for a memory that may be learned.
    """
    return _Resolving(old, held, turned_down, now, asked or Asked()).run(new)


class _Resolving:
    """The memories of a night, one after the other."""

    def __init__(
        self,
        old: Sequence[Memory],
        held: Sequence[Memory],
        turned_down: Sequence[Memory],
        now: datetime,
        asked: Asked,
    ) -> None:
        self._in_force = {memory.key: memory for memory in old}
        # What says the same as who is in force, by key: it speaks for it, too.
        self._seconding: dict[tuple[str, str, str], list[Memory]] = {}
        self._waiting = list(held)
        self._turned_down = turned_down
        self._now = now
        self._asked = asked
        self._changes: list[MemoryChange] = []

    def run(self, new: Sequence[Memory]) -> list[MemoryChange]:
        """The changes."""
        ready = [
            memory
            for memory in self._waiting
            if memory.held_for == "authors"
            and authority_of(memory, quorum=self._asked.quorum) is not None
        ]
        self._waiting = [memory for memory in self._waiting if memory not in ready]
        for memory in sorted([*ready, *new], key=lambda each: each.id):
            self._look_at(memory)
        return [_to_the_last(change, self._changes) for change in self._changes]

    def _look_at(self, memory: Memory) -> None:
        rival = self._in_force.get(memory.key)
        if rival is not None and same_value(rival, memory):
            self._changes.append(_same(rival, memory))
            self._seconding.setdefault(memory.key, []).append(memory)
            return
        allies = [
            other
            for other in self._waiting
            if (other.state == "rolled_back" or other.held_for in SECONDED)
            and says_the_same(other, memory)
        ]
        if memory.reviewed_by is None and (why := self._why_person_decides(memory, allies)):
            self._hold(memory, *why)
            return
        authority = authority_of(memory, _held(allies), quorum=self._asked.quorum)
        why_person = None
        if authority in (None, "quorum"):
            why_person = self._asked.why_person(memory)
        if authority is None or why_person is not None:
            self._wait(memory, allies, why_person)
            return
        if authority == "quorum":
            rival = rival or self._in_other_words(memory)
        if rival is None:
            self._let(memory, authority, allies)
        elif (outranked := outranks(memory, authority, rival, _held(allies))) is not None:
            if outranked:
                self._replace(rival, memory, authority, allies, _taller(memory, rival))
            else:
                self._hold(memory, "conflict", _takes_more(rival))
                self._waiting.append(memory)
        else:
            self._weigh(rival, memory, authority, allies)

    def _why_person_decides(
        self, memory: Memory, allies: Sequence[Memory]
    ) -> tuple[HeldFor, str] | None:
        """Why no number of authors is enough, nor a teacher."""
        if doubted := self._asked.why_doubted(memory):
            held_for, why = doubted
            return held_for, f"{why}: it waits for a reviewer"
        for rejected in self._turned_down:
            if brings_back(memory, rejected):
                return "rejected", _was_rejected(rejected)
        if taken_back := [ally for ally in allies if _is_read_again(memory, ally)]:
            return "rejected", _was_rolled_back(taken_back[-1])
        return None

    def _in_other_words(self, memory: Memory) -> Memory | None:
        """What is in force and answers the same question otherwise, whatever words it comes in."""
        others = self._in_force.values()
        return next(
            (o for o in others if asks_the_same(o, memory) and not same_value(o, memory)), None
        )

    def _wait(self, memory: Memory, allies: Sequence[Memory], why_person: str | None) -> None:
        """Hold it; if the same is held already, that one has its evidence too."""
        first = next(
            (ally for ally in _held(allies) if ally.held_for in ("authors", "person")), None
        )
        if first is not None and first.id != memory.id:
            self._changes.append(_same(first, memory))
            together = first.model_copy(update={"evidence": [*first.evidence, *memory.evidence]})
            self._waiting[self._waiting.index(first)] = together
            return
        if why_person is not None:
            self._hold(memory, "person", f"{why_person}: it waits for a teacher or a reviewer")
        else:
            self._hold(memory, "authors", _needs_more(memory, self._asked.quorum))
        self._waiting.append(memory.model_copy(update={"state": "held", "held_for": "authors"}))

    def _let(self, memory: Memory, authority: Authority, allies: Sequence[Memory]) -> None:
        self._in_force[memory.key] = memory
        if _is_news(memory, authority):
            self._changes.append(_stands(memory, authority, allies))
        self._changes += [_same(memory, ally) for ally in _held(allies)]
        self._waiting = [other for other in self._waiting if other not in _held(allies)]

    def _replace(
        self,
        rival: Memory,
        memory: Memory,
        authority: Authority,
        allies: Sequence[Memory],
        why: str,
    ) -> None:
        decided = {ally.id for ally in allies}
        self._changes = [change for change in self._changes if change.memory_id not in decided]
        self._changes.append(_supersede(rival, memory, why))
        self._changes += [_same(memory, ally) for ally in allies]
        if _is_news(memory, authority):
            self._changes.append(_stands(memory, authority, allies))
        self._in_force.pop(rival.key, None)
        self._in_force[memory.key], self._seconding[memory.key] = memory, list(allies)
        self._waiting = [other for other in self._waiting if other not in allies]

    def _weigh(
        self, rival: Memory, memory: Memory, authority: Authority, allies: Sequence[Memory]
    ) -> None:
        """What teachers said on both sides."""
        was_before = _was_said_before(memory, rival)
        # What is read again is weighed as when the later words came: these have aged since.
        then = max(_times(rival)) if was_before else self._now
        speaking = weight([memory, *allies], then)
        seconding = _others(self._seconding.get(memory.key, []), memory)
        against = weight([rival, *seconding], then)
        if speaking > against or (speaking == against and not was_before):
            self._replace(rival, memory, authority, allies, _weightier(speaking, against))
        else:
            self._hold(memory, "conflict", _contradicts(rival, speaking, against))
            self._waiting.append(memory)

    def _hold(self, memory: Memory, held_for: HeldFor, reason: str) -> None:
        self._changes.append(_hold(memory, held_for, reason))


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
    changed = {change.memory_id for change in changes if change.state != "pending"}
    let = {change.memory_id for change in changes if change.state == "pending"} - changed
    waiting = [memory.id for memory in new if memory.id not in changed]
    waiting += sorted(let - set(waiting))
    askable = [memory_id for memory_id in waiting if memory_id not in unaskable]
    tonight = set(rng.sample(askable, min(limit, len(askable))))
    postponed = set(waiting) - tonight
    kept = [change for change in changes if change.superseded_by not in postponed]
    return [memory_id for memory_id in waiting if memory_id in tonight], kept


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
    return {item.session for item in memory.evidence}


def _held(allies: Sequence[Memory]) -> list[Memory]:
    """Those that wait, without what was rolled back."""
    return [ally for ally in allies if ally.state == "held"]


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


def _same(rival: Memory, memory: Memory) -> MemoryChange:
    return MemoryChange(
        memory_id=memory.id,
        state="superseded",
        superseded_by=rival.id,
        reason=f"says the same as memory {rival.id}, which stays in force",
        was=memory.state,
        was_reason=memory.reason,
        says_the_same=True,
    )


def _supersede(rival: Memory, memory: Memory, why: str) -> MemoryChange:
    return MemoryChange(
        memory_id=rival.id,
        was=rival.state,
        was_reason=rival.reason,
        state="superseded",
        superseded_by=memory.id,
        reason=f"{rival.value!r} gives way to {memory.value!r}: {why}",
    )


def _weightier(speaking: float, against: float) -> str:
    return f"said later, with evidence of weight {speaking:g} against {against:g}"


def _taller(memory: Memory, rival: Memory) -> str:
    if rival.authority == "quorum":
        return f"a teacher, or more authors, against {num_authors(rival.evidence)}"
    return "a person stands for it"


def _is_news(memory: Memory, authority: Authority) -> bool:
    """Whether nobody knew yet that it may be taught, or that a person stands for it."""
    known = memory.authority if memory.state == "pending" else None
    return known is None or (known == "quorum" and authority != "quorum")


def _stands(memory: Memory, authority: Authority, allies: Sequence[Memory]) -> MemoryChange:
    """It may be taught: who stands for it."""
    evidence = [item for each in (memory, *_held(allies)) for item in each.evidence]
    why = (
        f"{num_authors(evidence)} authors said it"
        if authority == "quorum"
        else f"a {authority}'s word"
    )
    return MemoryChange(
        memory_id=memory.id,
        was=memory.state,
        was_reason=memory.reason,
        state="pending",
        authority=authority,
        reason=f"{memory.reason}; may be taught: {why}",
    )


def _hold(memory: Memory, held_for: HeldFor, reason: str) -> MemoryChange:
    return MemoryChange(
        memory_id=memory.id,
        was=memory.state,
        was_reason=memory.reason,
        state="held",
        held_for=held_for,
        reason=f"{memory.reason}; {reason}",
    )


def _needs_more(memory: Memory, quorum: int) -> str:
    known = num_authors(memory.evidence)
    return (
        f"{known} of {quorum} authors said it: it waits for {quorum - known} more, a teacher or a "
        "reviewer"
    )


def _takes_more(rival: Memory) -> str:
    theirs = rival.authority or "legacy"
    if theirs == "quorum":
        needed = f"more than {num_authors(rival.evidence)} authors, a teacher or a reviewer"
    else:
        needed = "a teacher or a reviewer"
    return f"contradicts memory {rival.id} ({rival.value!r}): to displace it takes {needed}"


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
