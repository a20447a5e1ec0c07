"""Resolve: a consistent set out of what was known and what is new."""

from shared.storage.memories import MemoryStore
from worker.context import Context
from worker.control import CycleControl
from worker.resolve.rules import resolve_memories
from worker.results import Resolved


async def resolve(context: Context, control: CycleControl) -> Resolved:
    """Decide what to learn now; the changes are written when the cycle wakes.

    Memories that an earlier cycle could not get into the weights are compared and tried again.
    """
    async with context.sessions.begin() as session:
        store = MemoryStore(session)
        known = await store.in_states(control.lease.model_id, ("learned", "pending"))
    lasting = [memory for memory in known if memory.persistence == "long_term"]
    old = [memory for memory in lasting if memory.state == "learned"]
    new = [memory for memory in lasting if memory.state == "pending"]
    changes = resolve_memories(old, new)
    settled = {change.memory_id for change in changes}
    to_learn = [
        memory.id for memory in lasting if memory.state == "pending" and memory.id not in settled
    ]
    return Resolved(to_learn=to_learn, changes=changes)
