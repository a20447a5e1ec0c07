"""What becomes of memories that share a key, as a pure function.

Versions are told apart by key, evidence and order, in code (arXiv 2606.01435): newest alone never
wins silently. First it is asked who stands for a memory (`worker/lessons/authority.py`): what
nobody whose word is enough stands for is held. Between what teachers said, sessions are counted,
not repetitions: each session once, twice if somebody sent feedback, half if it is old; a document
counts like feedback. Of equal weights what was said later wins; what weighs less is held until more
sessions say it, or a person decides.
"""

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.contracts.memories import Authority, HeldFor, Memory, MemoryChange
from worker.lessons.authority import (
    as_agreed,
    authority_of,
    is_of_a_teacher,
    outranks,
)
from worker.lessons.identity import asks_the_same, brings_back, same_value, says_the_same
from worker.resolve.changes import (
    contradicts,
    evidence_of,
    held_ones,
    hold,
    is_news,
    needs_more,
    same,
    stands,
    supersede,
    takes_more,
    taller,
    was_rejected,
    was_rolled_back,
    weightier,
)
from worker.resolve.weights import of_other_sessions, times, was_said_before, weight

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
            self._changes.append(same(rival, memory))
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
        memory, allies, authority = self._spoken_for(memory, allies)
        told = memory
        if authority == "quorum":
            answer = as_agreed(memory, evidence_of([memory, *held_ones(allies)]))
            memory = memory.model_copy(update={"answer": answer or memory.answer})
        why_person = None
        if authority in (None, "quorum"):
            # As it was told, and as it would be taught.
            why_person = self._asked.why_person(told) or self._asked.why_person(memory)
        if authority is None or why_person is not None:
            self._wait(memory, allies, why_person)
        else:
            self._settle(memory, authority, allies)

    def _spoken_for(
        self, memory: Memory, allies: list[Memory]
    ) -> tuple[Memory, list[Memory], Authority | None]:
        """Who stands for a memory, or for one that says the same and whose words count instead."""
        authority = authority_of(memory, held_ones(allies), quorum=self._asked.quorum)
        if authority is None and (second := self._second_voice(memory, allies)):
            if second.gives_the_value:
                return self._folded(second.other, memory), [], "quorum"
            return memory, [*allies, second.other], "quorum"
        if authority == "teacher" and not is_of_a_teacher(memory):
            # What is taught are the teacher's words, not those of who said the same.
            taught = next(ally for ally in held_ones(allies) if is_of_a_teacher(ally))
            rest = [ally for ally in allies if ally.id != taught.id]
            return self._folded(taught, memory), rest, authority
        return memory, allies, authority

    def _settle(self, memory: Memory, authority: Authority, allies: Sequence[Memory]) -> None:
        """Let what somebody stands for be taught, unless what is in force weighs more."""
        # Of the memory whose words are taught, which may not be the one that was looked at.
        rival = self._in_force.get(memory.key)
        if rival is not None and same_value(rival, memory):
            self._changes.append(same(rival, memory))
            return
        if authority == "quorum":
            rival = rival or self._in_other_words(memory)
        if rival is None:
            self._let(memory, authority, allies)
        elif (outranked := outranks(memory, authority, rival, held_ones(allies))) is not None:
            if outranked:
                self._replace(rival, memory, authority, allies, taller(memory, rival))
            else:
                self._hold(memory, "conflict", takes_more(rival))
                self._waiting.append(memory)
        else:
            self._weigh(rival, memory, authority, allies)

    def _second_voice(self, memory: Memory, allies: Sequence[Memory]) -> "_Second | None":
        """What waits for another author, and agrees though it was read otherwise."""
        quorum = self._asked.quorum
        for other in self._waiting:
            if other.held_for != "authors" or other in allies or not asks_the_same(other, memory):
                continue
            if authority_of(memory, [*held_ones(allies), other], quorum=quorum) == "quorum":
                return _Second(other, gives_the_value=False)
            if authority_of(other, [memory], quorum=quorum) == "quorum":
                return _Second(other, gives_the_value=True)
        return None

    def _folded(self, first: Memory, memory: Memory) -> Memory:
        """What is held, with the words of another that says the same."""
        self._changes.append(same(first, memory))
        together = first.model_copy(update={"evidence": [*first.evidence, *memory.evidence]})
        self._waiting[self._waiting.index(first)] = together
        return together

    def _why_person_decides(
        self, memory: Memory, allies: Sequence[Memory]
    ) -> tuple[HeldFor, str] | None:
        """Why no number of authors is enough, nor a teacher."""
        if doubted := self._asked.why_doubted(memory):
            held_for, why = doubted
            return held_for, f"{why}: it waits for a reviewer"
        for rejected in self._turned_down:
            if brings_back(memory, rejected):
                return "rejected", was_rejected(rejected)
        if taken_back := [ally for ally in allies if _is_read_again(memory, ally)]:
            return "rejected", was_rolled_back(taken_back[-1])
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
            (ally for ally in held_ones(allies) if ally.held_for in ("authors", "person")), None
        )
        if first is not None and first.id != memory.id:
            self._folded(first, memory)
            return
        if why_person is not None:
            self._hold(memory, "person", f"{why_person}: it waits for a teacher or a reviewer")
        else:
            self._hold(memory, "authors", needs_more(memory, self._asked.quorum))
        self._waiting.append(memory.model_copy(update={"state": "held", "held_for": "authors"}))

    def _let(self, memory: Memory, authority: Authority, allies: Sequence[Memory]) -> None:
        self._in_force[memory.key] = memory
        if is_news(memory, authority):
            self._changes.append(stands(memory, authority, allies))
        self._changes += [same(memory, ally) for ally in held_ones(allies)]
        self._waiting = [other for other in self._waiting if other not in held_ones(allies)]

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
        self._changes.append(supersede(rival, memory, why))
        self._changes += [same(memory, ally) for ally in allies]
        if is_news(memory, authority):
            self._changes.append(stands(memory, authority, allies))
        self._in_force.pop(rival.key, None)
        self._in_force[memory.key], self._seconding[memory.key] = memory, list(allies)
        self._waiting = [other for other in self._waiting if other not in allies]

    def _weigh(
        self, rival: Memory, memory: Memory, authority: Authority, allies: Sequence[Memory]
    ) -> None:
        """What teachers said on both sides."""
        was_before = was_said_before(memory, rival)
        # What is read again is weighed as when the later words came: these have aged since.
        then = max(times(rival)) if was_before else self._now
        speaking = weight([memory, *allies], then)
        seconding = of_other_sessions(self._seconding.get(memory.key, []), memory)
        against = weight([rival, *seconding], then)
        if speaking > against or (speaking == against and not was_before):
            self._replace(rival, memory, authority, allies, weightier(speaking, against))
        else:
            self._hold(memory, "conflict", contradicts(rival, speaking, against))
            self._waiting.append(memory)

    def _hold(self, memory: Memory, held_for: HeldFor, reason: str) -> None:
        self._changes.append(hold(memory, held_for, reason))


@dataclass(frozen=True)
class _Second:
    """Another author's lesson that agrees; or it is that one's value that both of them gave."""

    other: Memory
    gives_the_value: bool


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
