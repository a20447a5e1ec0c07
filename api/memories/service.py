"""What was learned, from which trace, and why."""

from uuid import UUID

from shared.contracts.adapters import Caller
from shared.contracts.memories import Memory
from shared.db.session import Sessions
from shared.errors import NotFoundError
from shared.storage.memories import MemoryStore


class MemoryService:
    """Reads memories.

    Args:
        sessions: The database.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def list_all(self, caller: Caller) -> list[Memory]:
        """The tenant's memories, oldest first."""
        async with self._sessions.begin() as session:
            return await MemoryStore(session).of_tenant(caller.tenant_id)

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
