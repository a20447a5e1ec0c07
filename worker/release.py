"""A cycle that ends without a decision leaves everything as it was: its traces wait again."""

from typing import Literal

from shared.contracts.cycles import Lease
from shared.storage.cycles import SleepCycleStore
from shared.storage.documents import DocumentStore
from shared.storage.memories import MemoryStore
from shared.storage.signals import SignalStore
from shared.storage.traces import TraceStore
from worker.context import Context


async def release(
    context: Context, lease: Lease, status: Literal["cancelled", "failed"], error: str | None
) -> None:
    """Give traces, signals and documents back to the queue and end the cycle, in one transaction.

    What its trainer left is tidied away later: a copy may still be being made of it.
    """
    async with context.sessions.begin() as session:
        await TraceStore(session).release(lease.cycle_id)
        await SignalStore(session).release(lease.cycle_id)
        await DocumentStore(session).release(lease.cycle_id)
        await MemoryStore(session).withdraw(lease.cycle_id, status)
        await SleepCycleStore(session).finish(lease, status, error)
