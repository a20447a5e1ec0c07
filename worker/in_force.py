"""What a model knows once a cycle has learned its lessons."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.memories import UNTAUGHT_STATES, Memory
from shared.storage.memories import MemoryStore
from worker.results import Resolved


async def in_force_after(session: AsyncSession, model_id: UUID, resolved: Resolved) -> list[Memory]:
    """What is learned now, unless a person rejected it since, and what stays learned beside it."""
    store = MemoryStore(session)
    learned = await store.in_states(model_id, ("learned",))
    chosen = await store.by_ids(resolved.to_learn)
    new = [memory for memory in chosen if memory.state in UNTAUGHT_STATES]
    return [memory for memory in (*learned, *new) if memory.id not in resolved.superseded]
