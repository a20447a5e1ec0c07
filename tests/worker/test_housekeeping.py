"""What a tick begins, and what is reason enough for it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from shared.db.tables import (
    SignalRow,
    SleepCycleRow,
    TraceRow,
)
from shared.storage.cycles import SleepCycleStore
from shared.storage.memories import MemoryStore
from shared.storage.tenants import TenantStore
from tests.fakes.memories import make_memory
from tests.worker.conftest import World
from worker.context import Context
from worker.housekeeping import tick


async def test_a_tick_runs_one_waiting_cycle_so_that_a_worker_told_to_end_begins_no_other(
    context: Context, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world.sessions.begin() as session:
        tenants = TenantStore(session)
        other = await tenants.ensure_model(await tenants.ensure_tenant("other"), "default", "base")
        for model_id in (world.model_id, other):
            await SleepCycleStore(session).add(
                model_id=model_id, trigger="test", reason=None, requested_by=None
            )
    begun: list[UUID] = []

    async def begin(context: Context, cycle_id: UUID) -> None:
        begun.append(cycle_id)

    monkeypatch.setattr("worker.housekeeping.run_cycle", begin)
    await tick(context)
    assert len(begun) == 1


async def test_what_waits_for_a_night_is_reason_enough_for_a_cron_line(
    context: Context, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[UUID] = []

    async def begin(_: Context, cycle_id: UUID) -> None:
        begun.append(cycle_id)

    monkeypatch.setattr("worker.housekeeping.run_cycle", begin)
    settings = context.settings.model_copy(update={"sleep_cron": "* * * * *"})

    async def night_begins() -> bool:
        begun.clear()
        await tick(replace(context, settings=settings))
        async with world.sessions.begin() as session:
            for row in (TraceRow, SignalRow):
                await session.execute(update(row).values(state="consolidated"))
            # The next tick comes in another minute.
            long_ago = datetime.now(UTC) - timedelta(hours=1)
            await session.execute(
                update(SleepCycleRow).values(status="skipped", created_at=long_ago)
            )
        return bool(begun)

    trace = await world.add_trace("Hello!")
    assert await night_begins()
    [cycle_id] = begun
    assert not await night_begins()
    await world.correct(trace)
    assert await night_begins()
    memory = make_memory(model_id=world.model_id, cycle_id=cycle_id)
    async with world.sessions.begin() as session:
        await MemoryStore(session).add([memory])
    assert await night_begins()
    async with world.sessions.begin() as session:
        await MemoryStore(session).set_state([memory.id], "learned")
    assert not await night_begins()
