"""The days of the traces table, on real PostgreSQL."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from shared.contracts.base import first_id, new_id
from shared.contracts.traces import Trace
from shared.db.tables import MemoryEvidenceRow, MemoryRow, SignalRow, TraceRow
from shared.storage.partitions import TracePartitionStore
from shared.storage.traces import TraceStore
from tests.fakes.traces import make_trace
from tests.worker.conftest import World
from worker.context import Context
from worker.retention import NUM_DAYS_AHEAD, tend_traces

TODAY = datetime.now(UTC).date()
# Beyond the days that others make.
FAR = TODAY + timedelta(days=100)


async def add_on(world: World, day: date, said: str, store: bool = True) -> Trace:
    at = datetime.combine(day, time(12), UTC)
    trace_id = UUID(int=first_id(at).int | (new_id().int & (2**80 - 1)))
    trace = make_trace(said, tenant_id=world.tenant_id, model_id=world.model_id)
    trace = trace.model_copy(update={"id": trace_id, "created_at": at, "store": store})
    async with world.sessions.begin() as session:
        await TraceStore(session).add(trace)
    return trace


async def settle(world: World, *traces: Trace) -> None:
    async with world.sessions.begin() as session:
        ids = [trace.id for trace in traces]
        await session.execute(
            update(TraceRow).where(TraceRow.id.in_(ids)).values(state="consolidated")
        )
        await session.execute(
            update(SignalRow).where(SignalRow.trace_id.in_(ids)).values(state="consolidated")
        )


async def days(world: World) -> list[date]:
    async with world.sessions.begin() as session:
        return await TracePartitionStore(session).days()


async def add_day(world: World, day: date) -> bool:
    async with world.sessions.begin() as session:
        return await TracePartitionStore(session).add(day)


async def drop_day(world: World, day: date) -> None:
    async with world.sessions.begin() as session:
        await TracePartitionStore(session).drop(day)


async def places(world: World) -> dict[UUID, str]:
    async with world.sessions.begin() as session:
        rows = await session.execute(text("SELECT id, tableoid::regclass::text FROM traces"))
        return {row[0]: row[1] for row in rows}


async def signals_of(world: World, trace: Trace) -> int:
    async with world.sessions.begin() as session:
        found = await session.scalars(select(SignalRow.id).where(SignalRow.trace_id == trace.id))
        return len(list(found))


async def remember(world: World, trace: Trace) -> None:
    cycle_id = await world.queue()
    async with world.sessions.begin() as session:
        memory = MemoryRow(
            **dict.fromkeys(("scope", "subject", "relation", "question", "answer", "value"), "x"),
            model_id=world.model_id,
            cycle_id=cycle_id,
            kind="fact",
            persistence="long_term",
            state="active",
            reason="a test",
        )
        session.add(memory)
        await session.flush()
        session.add(MemoryEvidenceRow(memory_id=memory.id, trace_id=trace.id, quote="x"))


async def test_the_coming_days_have_their_partition(world: World, context: Context) -> None:
    await tend_traces(context)
    coming = [TODAY + timedelta(days=ahead) for ahead in range(1, NUM_DAYS_AHEAD + 1)]
    assert set(coming) <= set(await days(world))
    assert not await add_day(world, coming[0])
    trace = await add_on(world, coming[2], "Hello")
    assert (await places(world))[trace.id] == f"traces_{coming[2]:%Y%m%d}"


async def test_a_trace_that_came_before_its_day_moves_in(world: World) -> None:
    day = FAR + timedelta(days=1)
    early = await add_on(world, day, "Hello")
    other = await add_on(world, day + timedelta(days=50), "Hello")
    assert set((await places(world)).values()) == {"traces_default"}
    assert await add_day(world, day)
    assert await places(world) == {early.id: f"traces_{day:%Y%m%d}", other.id: "traces_default"}


async def test_a_dropped_day_takes_what_was_said_of_it_and_leaves_what_is_still_needed(
    world: World,
) -> None:
    day = FAR + timedelta(days=2)
    await add_day(world, day)
    old, evidence, late, queued = [await add_on(world, day, "Hello") for _ in range(4)]
    for trace in (old, evidence, late):
        await world.correct(trace)
    await settle(world, old, evidence, late)
    await world.correct(late)
    await remember(world, evidence)
    excluded = await add_on(world, day, "Hello", store=False)
    await world.correct(excluded)
    another_day = await add_on(world, TODAY, "Hello")

    await drop_day(world, day)

    left = await places(world)
    assert not {old.id, excluded.id} & set(left)
    assert {left[trace.id] for trace in (evidence, late, queued)} == {"traces_default"}
    assert another_day.id in left
    assert day not in await days(world)
    num_signals = [await signals_of(world, trace) for trace in (old, excluded, evidence, late)]
    assert num_signals == [0, 0, 1, 2]
    # Dropping it again changes nothing, and the day may come back.
    await drop_day(world, day)
    assert await add_day(world, day)
    assert (await places(world))[queued.id] == f"traces_{day:%Y%m%d}"


@pytest.mark.parametrize("retention_days", [None, 30])
async def test_what_is_too_old_is_forgotten_once_a_day(
    world: World, context: Context, retention_days: int | None
) -> None:
    old = await add_on(world, TODAY - timedelta(days=31), "Hello")
    kept = await add_on(world, TODAY - timedelta(days=29), "Hello")
    waiting = await add_on(world, TODAY - timedelta(days=31), "Hello")
    await world.correct(old)
    await settle(world, old, kept)
    settings = context.settings.model_copy(update={"trace_retention_days": retention_days})
    context = replace(context, settings=settings)
    # Nothing was forgotten yet today.
    await tend_traces(context)
    await drop_day(world, TODAY + timedelta(days=NUM_DAYS_AHEAD))

    await tend_traces(context)

    left = {kept.id, waiting.id}
    assert set(await places(world)) == (left | {old.id} if retention_days is None else left)
    assert await signals_of(world, old) == (1 if retention_days is None else 0)


async def test_a_day_that_somebody_reads_is_dropped_by_a_later_tick(
    world: World, context: Context
) -> None:
    await tend_traces(context)
    made = set(await days(world))
    # Days can be made ahead alone: they are old to somebody who keeps none that has come.
    settings = context.settings.model_copy(update={"trace_retention_days": -NUM_DAYS_AHEAD - 1})
    context = replace(context, settings=settings)
    async with world.sessions.begin() as reader:
        await reader.execute(text("LOCK TABLE traces IN ACCESS SHARE MODE"))
        await tend_traces(context)
        assert set(await days(world)) == made
    await tend_traces(context)
    assert not [day for day in await days(world) if day <= TODAY + timedelta(days=NUM_DAYS_AHEAD)]
