"""What becomes of a memory, with the reason that a person reads."""

from collections.abc import Sequence

from shared.contracts.memories import Authority, Evidence, HeldFor, Memory, MemoryChange
from worker.lessons.authority import agreeing, num_authors


def held_ones(allies: Sequence[Memory]) -> list[Memory]:
    """Those that wait, without what was rolled back."""
    return [ally for ally in allies if ally.state == "held"]


def evidence_of(memories: Sequence[Memory]) -> list[Evidence]:
    return [item for memory in memories for item in memory.evidence]


def same(rival: Memory, memory: Memory) -> MemoryChange:
    return MemoryChange(
        memory_id=memory.id,
        state="superseded",
        superseded_by=rival.id,
        reason=f"says the same as memory {rival.id}, which stays in force",
        was=memory.state,
        was_reason=memory.reason,
        says_the_same=True,
    )


def supersede(rival: Memory, memory: Memory, why: str) -> MemoryChange:
    return MemoryChange(
        memory_id=rival.id,
        was=rival.state,
        was_reason=rival.reason,
        state="superseded",
        superseded_by=memory.id,
        reason=f"{rival.value!r} gives way to {memory.value!r}: {why}",
    )


def weightier(speaking: float, against: float) -> str:
    return f"said later, with evidence of weight {speaking:g} against {against:g}"


def taller(memory: Memory, rival: Memory) -> str:
    if rival.authority == "quorum":
        return f"a teacher, or more authors, against {num_authors(rival.evidence)}"
    return "a person stands for it"


def is_news(memory: Memory, authority: Authority) -> bool:
    """Whether nobody knew yet that it may be taught, or that a person stands for it."""
    known = memory.authority if memory.state == "pending" else None
    return known is None or (known == "quorum" and authority != "quorum")


def stands(memory: Memory, authority: Authority, allies: Sequence[Memory]) -> MemoryChange:
    """It may be taught: who stands for it, and in which words."""
    why, answer = f"a {authority}'s word", None
    if authority == "quorum":
        evidence = agreeing(memory, evidence_of([memory, *held_ones(allies)]))
        why, answer = f"{num_authors(evidence)} authors said it", memory.answer
    return MemoryChange(
        memory_id=memory.id,
        was=memory.state,
        was_reason=memory.reason,
        state="pending",
        authority=authority,
        answer=answer,
        reason=f"{memory.reason}; may be taught: {why}",
    )


def hold(memory: Memory, held_for: HeldFor, reason: str) -> MemoryChange:
    return MemoryChange(
        memory_id=memory.id,
        was=memory.state,
        was_reason=memory.reason,
        state="held",
        held_for=held_for,
        reason=f"{memory.reason}; {reason}",
    )


def needs_more(memory: Memory, quorum: int) -> str:
    known = num_authors(memory.evidence)
    return (
        f"{known} of {quorum} authors said it: it waits for {quorum - known} more, a teacher or a "
        "reviewer"
    )


def takes_more(rival: Memory) -> str:
    theirs = rival.authority or "legacy"
    if theirs == "quorum":
        needed = f"more than {num_authors(rival.evidence)} authors, a teacher or a reviewer"
    else:
        needed = "a teacher or a reviewer"
    return f"contradicts memory {rival.id} ({rival.value!r}): to displace it takes {needed}"


def contradicts(rival: Memory, speaking: float, against: float) -> str:
    return (
        f"contradicts memory {rival.id} ({rival.value!r}), for which more speaks, or was said "
        f"later ({against:g} against {speaking:g}): it waits for a person or for more evidence"
    )


def was_rejected(rejected: Memory) -> str:
    return (
        f"says the same as memory {rejected.id}, which {rejected.reviewed_by} rejected: it "
        "waits for a person"
    )


def was_rolled_back(taken_back: Memory) -> str:
    return (
        f"its traces were read again, and memory {taken_back.id}, which says the same, was "
        "rolled back: it waits for a person"
    )
