"""Resolve: a consistent set out of what was known and what is new."""

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime

from shared.contracts.memories import WAITING_STATES, Memory
from shared.storage.cycles import SleepCycleStore
from shared.storage.memories import MemoryStore
from worker.context import Context
from worker.control import CycleControl
from worker.lessons.keys import is_unread, with_key
from worker.resolve.rules import Asked, portion, resolve_memories
from worker.results import Resolved
from worker.screens.lessons import why_doubted
from worker.screens.people import why_person
from worker.seed.neighbours import lesson_of
from worker.seed.wordings import can_be_asked


async def resolve(context: Context, control: CycleControl) -> Resolved:
    """Decide what to learn now; the changes are written when the cycle wakes.

    Memories that an earlier cycle could not get into the weights are compared and tried again.
    What a person edited has its key read first.
    """
    async with context.sessions.begin() as session:
        await SleepCycleStore(session).hold(control.lease)
        store = MemoryStore(session)
        known = await _with_keys(
            store,
            await store.in_states(control.lease.model_id, ("learned", "pending", *WAITING_STATES)),
        )
        turned_down = await _with_keys(store, await store.turned_down(control.lease.model_id))
    lasting = [memory for memory in known if memory.persistence == "long_term"]
    old = [memory for memory in lasting if memory.state == "learned"]
    new = [memory for memory in lasting if memory.state == "pending"]
    held = [memory for memory in lasting if memory.state in WAITING_STATES]
    asked = Asked(context.settings.quorum, why_person, why_doubted)
    # The screens take a tenth of a second for each; the lease is renewed meanwhile.
    changes = await asyncio.to_thread(
        resolve_memories, old, new, held, turned_down, now=datetime.now(UTC), asked=asked
    )
    rng = random.Random(control.lease.cycle_id.int)
    to_learn, changes = portion(
        new,
        changes,
        context.settings.max_cycle_memories,
        rng,
        unaskable={memory.id for memory in (*new, *held) if not can_be_asked(lesson_of(memory))},
    )
    return Resolved(to_learn=to_learn, changes=changes)


async def _with_keys(store: MemoryStore, memories: Sequence[Memory]) -> list[Memory]:
    """The memories, the key of those read anew whose question a person edited."""
    found = [with_key(memory) if is_unread(memory) else memory for memory in memories]
    for memory in found:
        if memory not in memories:
            await store.set_key(memory)
    return found
