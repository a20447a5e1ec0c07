"""Wake: the swap, or the rejection with its report. One transaction settles everything."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.cycles import CycleStatus, Lease
from shared.contracts.memories import UNTAUGHT_STATES, Memory
from shared.storage.adapters import AdapterStore
from shared.storage.cycles import SleepCycleStore
from shared.storage.documents import DocumentStore
from shared.storage.erasure import ErasureStore
from shared.storage.known import KnownStore
from shared.storage.memories import MemoryStore
from shared.storage.signals import SignalStore
from shared.storage.traces import TraceStore
from worker.context import Context
from worker.results import Collected, Gated, Resolved, Seeded, Trained


async def promote_or_reject(
    context: Context,
    lease: Lease,
    collected: Collected,
    trained: Trained,
    resolved: Resolved,
    seeded: Seeded,
    gated: Gated,
) -> CycleStatus:
    """Write the gate's report, and flip the pointer if it passed the candidate.

    Traces and memories are settled either way.

    A memory that the candidate does not know stays pending, and so do all after a rejection: the
    next cycle tries them again. What would have been superseded stays in force until its successor
    is in the weights. A candidate that was taught what a person rejected or edited meanwhile does
    not answer: its weights hold what that person turned down.
    """
    passed = gated.report.passed
    async with context.sessions.begin() as session:
        decided = await _decided_meanwhile(session, resolved, seeded)
        store = AdapterStore(session)
        await store.add_report(trained.adapter_id, lease.cycle_id, gated.report)
        if passed and not decided and not await _moved_meanwhile(store, lease, collected):
            await store.move(
                model_id=lease.model_id,
                to=trained.adapter_id,
                kind="promotion",
                actor="gate",
                reason=gated.report.reason,
                cycle_id=lease.cycle_id,
            )
            learned = set(gated.learned)
        else:
            passed, learned = False, set()
        await _settle_memories(session, resolved, learned)
        if passed:
            await KnownStore(session, lease.model_id).write(trained.adapter_id)
            # The gate has asked for what was erased.
            await ErasureStore(session, lease.model_id).drop_probes()
        error = None
        if gated.report.passed and not passed:
            error = _why_stale(decided)
        await _settle(session, lease, "promoted" if passed else "rejected", error)
    return "promoted" if passed else "rejected"


async def propose(context: Context, lease: Lease, resolved: Resolved) -> CycleStatus:
    """It was read and decided, so that a person can look at it; nothing is trained.

    What may be taught waits for a night, and what would give way to it stays in force until then.
    """
    async with context.sessions.begin() as session:
        await _settle_memories(session, resolved, set())
        await _settle(session, lease, "proposed", None)
    return "proposed"


async def skip(
    context: Context,
    lease: Lease,
    collected: Collected,
    resolved: Resolved,
    seeded: Seeded | None = None,
) -> CycleStatus:
    """Nothing is worth keeping, or all of it is known: traces are settled, the weights stay.

    What another adapter knew than the one that is active now stays pending.
    """
    known: set[UUID] = set(seeded.known) if seeded else set()
    async with context.sessions.begin() as session:
        if seeded is not None:
            known -= {memory.id for memory in await _decided_meanwhile(session, resolved, seeded)}
        moved = await _moved_meanwhile(AdapterStore(session), lease, collected)
        await _settle_memories(session, resolved, set() if moved else known)
        if collected.active_adapter_id is not None and not moved:
            await KnownStore(session, lease.model_id).write(collected.active_adapter_id)
        if not (resolved.to_learn and await MemoryStore(session).any_waits(lease.model_id)):
            # Nothing is left to rebuild that a gate could ask.
            await ErasureStore(session, lease.model_id).drop_probes()
        await _settle(session, lease, "skipped", None)
    return "skipped"


async def _settle_memories(session: AsyncSession, resolved: Resolved, learned: set[UUID]) -> None:
    """What is learned is so, and replaces what it contradicts; the rest waits."""
    memories = MemoryStore(session)
    await memories.apply(
        [
            change
            for change in resolved.changes
            if change.superseded_by is None
            or change.superseded_by in learned
            or change.superseded_by not in resolved.to_learn
        ]
    )
    await memories.set_state(sorted(learned), "learned", was="pending")


async def _decided_meanwhile(
    session: AsyncSession, resolved: Resolved, seeded: Seeded
) -> list[Memory]:
    """What a person rejected or edited since its examples were written.

    Locks everything that is about to be settled: who decides now waits for the outcome.
    """
    concerned = {*resolved.to_learn, *(change.memory_id for change in resolved.changes)}
    memories = await MemoryStore(session).by_ids(sorted(concerned), lock=True)
    return [
        memory
        for memory in memories
        if (then := seeded.taught.get(memory.id)) is not None
        and (memory.state not in UNTAUGHT_STATES or memory.words_sha256 != then)
    ]


def _why_stale(decided: Sequence[Memory]) -> str:
    if not decided:
        return "The active adapter was changed while the cycle ran; its candidate is stale."
    named = ", ".join(f"{memory.id} ({memory.state})" for memory in decided)
    return (
        f"A person rejected or edited what the candidate was taught, while the cycle ran: memory "
        f"{named}. It does not answer; the next sleep cycle learns what still holds."
    )


async def _moved_meanwhile(store: AdapterStore, lease: Lease, collected: Collected) -> bool:
    """True if somebody rolled back while the cycle ran: its candidate would undo that."""
    return await store.active_id(lease.model_id) != collected.active_adapter_id


async def _settle(
    session: AsyncSession, lease: Lease, status: CycleStatus, error: str | None
) -> None:
    await TraceStore(session).settle(lease.cycle_id)
    await SignalStore(session).settle(lease.cycle_id)
    await DocumentStore(session).settle(lease.cycle_id)
    await SleepCycleStore(session).finish(lease, status, error)
