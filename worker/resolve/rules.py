"""What becomes of memories that share a key, as a pure function.

Versions are told apart by key, evidence and order, in code (arXiv 2606.01435): newest alone never
wins silently.
"""

import random
from collections.abc import Sequence
from uuid import UUID

from shared.contracts.memories import Memory, MemoryChange
from worker.triage.language import words


def resolve_memories(old: Sequence[Memory], new: Sequence[Memory]) -> list[MemoryChange]:
    """Compare each new memory with what is in force, and with the others of its batch.

    Args:
        old: Memories that are in the weights or wait to be, oldest first.
        new: This cycle's memories, oldest first.

    Returns:
        Only what changes: what stays out of it is learned as it is.
    """
    in_force = {memory.key: memory for memory in old}
    changes: list[MemoryChange] = []
    for memory in new:
        rival = in_force.get(memory.key)
        if rival is None:
            in_force[memory.key] = memory
        elif same_value(rival, memory):
            changes.append(_same(rival, memory))
        elif _weight(memory) >= _weight(rival):
            changes.append(_supersede(rival, memory))
            in_force[memory.key] = memory
        else:
            changes.append(_hold(memory, rival))
    return changes


def portion(
    new: Sequence[Memory], changes: Sequence[MemoryChange], limit: int, rng: random.Random
) -> tuple[list[UUID], list[MemoryChange]]:
    """What one cycle learns: up to `limit` of the new memories that nothing changes.

    What a night costs, and how far it moves the model, is the same however much waits. Which ones
    is drawn: a few that are never learned must not keep all others waiting. What a postponed
    memory replaces stays in force until its own night.

    Returns:
        The memories to learn, and the changes that go with them.
    """
    changed = {change.memory_id for change in changes}
    waiting = [memory.id for memory in new if memory.id not in changed]
    tonight = set(rng.sample(waiting, min(limit, len(waiting))))
    postponed = set(waiting) - tonight
    kept = [change for change in changes if change.superseded_by not in postponed]
    return [memory_id for memory_id in waiting if memory_id in tonight], kept


def same_value(first: Memory, second: Memory) -> bool:
    """True if two memories say the same."""
    return words(first.value) == words(second.value)


def _weight(memory: Memory) -> int:
    """How much speaks for a memory: each trace once, and once more for explicit feedback."""
    return len(memory.evidence) + sum(item.signal_id is not None for item in memory.evidence)


def _same(rival: Memory, memory: Memory) -> MemoryChange:
    return MemoryChange(
        memory_id=memory.id,
        state="superseded",
        superseded_by=rival.id,
        reason=f"says the same as memory {rival.id}, which stays in force",
    )


def _supersede(rival: Memory, memory: Memory) -> MemoryChange:
    return MemoryChange(
        memory_id=rival.id,
        state="superseded",
        superseded_by=memory.id,
        reason=(
            f"{rival.value!r} gives way to {memory.value!r}: said later, with evidence of weight "
            f"{_weight(memory)} against {_weight(rival)}"
        ),
    )


def _hold(memory: Memory, rival: Memory) -> MemoryChange:
    return MemoryChange(
        memory_id=memory.id,
        state="held",
        reason=(
            f"contradicts memory {rival.id} ({rival.value!r}), for which more speaks "
            f"({_weight(rival)} against {_weight(memory)}): a person should decide"
        ),
    )
