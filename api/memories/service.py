"""What was learned, from which trace, and why."""

from uuid import UUID

from shared.contracts.keys import Caller
from shared.contracts.memories import Memory, MemoryReview, MemoryState
from shared.db.session import Sessions
from shared.errors import MemoryNotHeldError, NotFoundError
from shared.storage.memories import MemoryStore

_REVIEWED: dict[str, tuple[str, MemoryState]] = {
    "accept": ("accepted", "pending"),
    "reject": ("rejected", "rejected"),
}


class MemoryService:
    """Reads memories, and writes what a person decides of those that wait for one.

    Args:
        sessions: The database.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def page(
        self, caller: Caller, state: MemoryState | None, after: UUID | None
    ) -> list[Memory]:
        """The tenant's memories in a state, or in any, oldest first, behind `after`."""
        async with self._sessions.begin() as session:
            return await MemoryStore(session).of_tenant(caller.tenant_id, state=state, after=after)

    async def get(self, caller: Caller, memory_id: UUID) -> Memory:
        """One memory with its evidence.

        Raises:
            NotFoundError: If the tenant has none of this id.
        """
        async with self._sessions.begin() as session:
            found = await MemoryStore(session).of_tenant(caller.tenant_id, memory_id)
        if not found:
            raise NotFoundError(f"There is no memory {memory_id}.")
        return found[0]

    async def review(self, caller: Caller, memory_id: UUID, review: MemoryReview) -> Memory:
        """Accept or reject a memory that is held or was rolled back.

        Raises:
            NotFoundError: If the tenant has none of this id.
            MemoryNotHeldError: If nobody is asked about it.
        """
        memory = await self.get(caller, memory_id)
        verb, state = _REVIEWED[review.decision]
        reason = f"{caller.key_name} {verb} it: {review.reason}; {memory.reason}"
        async with self._sessions.begin() as session:
            store = MemoryStore(session)
            if not await store.review(memory_id, state, caller.key_name, reason):
                raise MemoryNotHeldError(
                    f"Memory {memory_id} is {memory.state}: there is nothing to decide."
                )
        return await self.get(caller, memory_id)
