"""Sleep cycles: start, watch, cancel."""

from uuid import UUID

from shared.contracts.cycles import SleepCycle, SleepCycleRequest
from shared.contracts.keys import Caller
from shared.db.session import Sessions
from shared.dispatch import flush_outbox
from shared.errors import CycleFinishedError, NotFoundError
from shared.queue.wakeups import RUN_SLEEP_CYCLE, Queue
from shared.storage.cycles import SleepCycleStore
from shared.storage.models import ModelStore
from shared.storage.outbox import OutboxStore


class SleepService:
    """Decides about sleep cycles; workers run them.

    Args:
        sessions: The database.
        queue: Wakes workers up.
    """

    def __init__(self, sessions: Sessions, queue: Queue) -> None:
        self._sessions = sessions
        self._queue = queue

    async def start(self, caller: Caller, request: SleepCycleRequest) -> SleepCycle:
        """Queue one sleep cycle; the queue hears of it only after the commit.

        Raises:
            NotFoundError: If the caller's tenant has no such model.
            CycleActiveError: If the model already has a queued or running cycle.
        """
        async with self._sessions.begin() as session:
            route = await ModelStore(session).route(caller.tenant_id, request.model)
            if route is None:
                raise NotFoundError(
                    f"The model {request.model!r} does not exist.",
                    param="model",
                    code="model_not_found",
                )
            cycle_id = await SleepCycleStore(session).add(
                model_id=route.model_id,
                trigger="request",
                reason=request.reason,
                requested_by=caller.key_name,
                stop_after=request.stop_after,
            )
            await OutboxStore(session).add(RUN_SLEEP_CYCLE, {"cycle_id": str(cycle_id)})
        await flush_outbox(self._sessions, self._queue)
        return await self.get(caller, cycle_id)

    async def get(self, caller: Caller, cycle_id: UUID) -> SleepCycle:
        """One cycle.

        Raises:
            NotFoundError: If the caller's tenant has no such cycle.
        """
        async with self._sessions.begin() as session:
            found = await SleepCycleStore(session).of_tenant(caller.tenant_id, cycle_id)
        if not found:
            raise NotFoundError(f"There is no sleep cycle {cycle_id}.")
        return found[0]

    async def list_all(self, caller: Caller) -> list[SleepCycle]:
        """The newest cycles first."""
        async with self._sessions.begin() as session:
            return await SleepCycleStore(session).of_tenant(caller.tenant_id)

    async def cancel(self, caller: Caller, cycle_id: UUID) -> SleepCycle:
        """Ask a cycle to stop; its worker does so within a moment, and its traces return.

        Raises:
            NotFoundError: If the caller's tenant has no such cycle.
            CycleFinishedError: If it has ended.
        """
        await self.get(caller, cycle_id)
        async with self._sessions.begin() as session:
            stopped = await SleepCycleStore(session).request_cancel(cycle_id)
        if not stopped:
            raise CycleFinishedError(f"Sleep cycle {cycle_id} has ended; nothing to cancel.")
        return await self.get(caller, cycle_id)
