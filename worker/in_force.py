"""What a model knows once a cycle has learned its lessons."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.memories import Memory
from shared.storage.memories import MemoryStore
from worker.results import Resolved


async def in_force_after(session: AsyncSession, model_id: UUID, resolved: Resolved) -> list[Memory]:
    """What is learned now and what stays learned beside it."""
    store = MemoryStore(session)
    learned = await store.in_states(model_id, ("learned",))
    new = await store.by_ids(resolved.to_learn)
    return [memory for memory in (*learned, *new) if memory.id not in resolved.superseded]
