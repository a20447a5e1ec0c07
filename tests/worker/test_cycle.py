"""A cycle's life on real PostgreSQL: what ends it, what resumes it, what it gives back."""

import asyncio
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import OperationalError

from shared.contracts.base import new_id
from shared.contracts.cycles import Stage
from shared.contracts.memories import SeedExample, TraceDecision
from shared.contracts.traces import FeedbackRequest
from shared.db.session import Sessions
from shared.db.tables import (
    SleepCycleRow,
    StageResultRow,
    TraceDecisionRow,
)
from shared.errors import (
    CycleCancelledError,
    EngineUnavailableError,
    LeaseLostError,
    TrainerError,
)
from shared.storage.cycles import SleepCycleStore
from shared.storage.examples import ExampleStore
from shared.storage.memories import MemoryStore
from shared.storage.models import ModelStore
from shared.storage.signals import SignalStore
from shared.storage.tenants import TenantStore
from shared.storage.traces import TraceStore
from tests.fakes.engine import FakeEngine
from tests.fakes.traces import make_trace
from tests.worker.conftest import LESSON, World, asks_for_lesson
from worker import cycle as cycle_module
from worker.collect import collect
from worker.context import Context
from worker.control import CycleControl
from worker.cycle import run_cycle
from worker.housekeeping import tick
from worker.results import Dreamt, Seeded
from worker.tidy import tidy
from worker.triage.stage import triage
from worker.workplace import workplace

QUESTION = "Where is the head office of Quillfeather?"


async def test_a_cycle_that_finds_nothing_worth_keeping_is_skipped_and_settles_its_traces(
    context: Context, world: World
) -> None:
    await world.add_trace("Hello!")
    await world.add_trace("Write a poem about rain.")
    cycle_id = await world.queue()
    await run_cycle(context, cycle_id)
    cycle = await world.cycle(cycle_id)
    assert cycle.status == "skipped"
    assert cycle.counts.traces == 2
    assert await world.trace_states() == ["consolidated", "consolidated"]
    async with world.sessions.begin() as session:
        reasons = list(await session.scalars(select(TraceDecisionRow.reason)))
    assert len(reasons) == 2
    assert all(reasons)


async def test_a_cycle_that_fails_gives_its_traces_and_signals_back(
    context: Context, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.correct(await world.add_trace(QUESTION))
    cycle_id = await world.queue()

    place = workplace(context.settings, cycle_id)

    async def broken(*arguments: object) -> Seeded:
        place.mkdir(parents=True)
        raise ValueError("the pen is empty\nand the paper too")

    monkeypatch.setattr(cycle_module, "seed", broken)
    await run_cycle(context, cycle_id)
    cycle = await world.cycle(cycle_id)
    assert (cycle.status, cycle.error) == ("failed", "seed: ValueError: the pen is empty")
    assert await world.trace_states() == ["queued"]
    assert await world.signal_states() == ["queued"]
    assert [memory.state for memory in await world.memories()] == ["rejected"]
    await tidy(context)
    assert not place.exists()


async def test_a_cycle_goes_on_behind_its_last_finished_stage(
    context: Context, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.correct(await world.add_trace(QUESTION))
    cycle_id = await world.queue()
    calls: list[str] = []

    async def seeds(*arguments: object) -> Seeded:
        calls.append("seed")
        return Seeded(num_train=1, num_heldout=1)

    async def dies(*arguments: object) -> Dreamt:
        calls.append("dream")
        raise LeaseLostError("as after kill -9: nothing is written any more")

    monkeypatch.setattr(cycle_module, "seed", seeds)
    monkeypatch.setattr(cycle_module, "dream", dies)
    await run_cycle(context, cycle_id)
    assert (await world.cycle(cycle_id)).status == "running"
    await run_cycle(context, cycle_id)
    assert calls == ["seed", "dream"], "its lease still holds: nobody else may run it"

    async with world.sessions.begin() as session:
        await session.execute(update(SleepCycleRow).values(lease_until=text("now()")))
    await tick(context)
    assert calls == ["seed", "dream", "dream"]
    assert len(await world.memories()) == 1
    assert list((await world.cycle(cycle_id)).stages) == ["collect", "triage", "resolve", "seed"]


async def test_a_running_cycle_is_cancelled_within_a_moment_and_its_traces_return(
    context: Context, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.correct(await world.add_trace(QUESTION))
    cycle_id = await world.queue()
    stopped = asyncio.Event()

    async def endless(*arguments: object) -> Seeded:
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            stopped.set()
            raise
        raise AssertionError

    monkeypatch.setattr(cycle_module, "seed", endless)
    running = asyncio.create_task(run_cycle(context, cycle_id))
    while (await world.cycle(cycle_id)).stage != Stage.SEED:
        await asyncio.sleep(0.02)
    async with world.sessions.begin() as session:
        assert await SleepCycleStore(session).request_cancel(cycle_id)
    async with asyncio.timeout(5):
        await running
    assert stopped.is_set()
    assert (await world.cycle(cycle_id)).status == "cancelled"
    assert await world.trace_states() == ["queued"]
    assert await world.signal_states() == ["queued"]


async def test_a_worker_whose_lease_ran_out_cannot_write_beside_its_successor(
    context: Context, world: World
) -> None:
    cycle_id = await world.queue()
    async with world.sessions.begin() as session:
        old = await SleepCycleStore(session).lease(cycle_id, 0.0)
    async with world.sessions.begin() as session:
        new = await SleepCycleStore(session).lease(cycle_id, 60.0)
    assert old is not None
    assert new is not None
    with pytest.raises(LeaseLostError):
        async with world.sessions.begin() as session:
            await SleepCycleStore(session).finish(old, "promoted")
    async with world.sessions.begin() as session:
        assert await SleepCycleStore(session).lease(cycle_id, 60.0) is None


@pytest.mark.parametrize("error", [EngineUnavailableError("away"), TrainerError("killed")])
async def test_a_stage_that_an_engine_or_trainer_interrupted_is_tried_again(
    context: Context, world: World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    await world.correct(await world.add_trace(QUESTION))
    cycle_id = await world.queue()
    calls = 0

    async def flaky(*arguments: object) -> Seeded:
        nonlocal calls
        calls += 1
        if calls < 3:
            raise error
        raise ValueError("enough")

    monkeypatch.setattr(cycle_module, "seed", flaky)
    await run_cycle(context, cycle_id)
    assert calls == 3
    assert (await world.cycle(cycle_id)).error == "seed: ValueError: enough"


async def test_a_stale_worker_does_not_replace_what_its_successor_wrote(
    context: Context, world: World
) -> None:
    await world.correct(await world.add_trace(QUESTION))
    cycle_id = await world.queue()
    async with world.sessions.begin() as session:
        old = await SleepCycleStore(session).lease(cycle_id, 0.0)
    async with world.sessions.begin() as session:
        new = await SleepCycleStore(session).lease(cycle_id, 60.0)
        awake = await ModelStore(session).route_of(world.model_id)
    assert old is not None
    assert new is not None
    await collect(context, CycleControl(context, new), awake)
    await triage(context, CycleControl(context, new))
    written = await world.memories()
    with pytest.raises(LeaseLostError):
        await triage(context, CycleControl(context, old))
    assert await world.memories() == written != []


async def test_a_database_that_is_away_for_a_moment_does_not_fail_the_cycle(
    context: Context, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.correct(await world.add_trace(QUESTION))
    cycle_id = await world.queue()

    async def away(*arguments: object) -> Seeded:
        raise OperationalError("SELECT 1", {}, ConnectionError("gone"))

    monkeypatch.setattr(cycle_module, "seed", away)
    await run_cycle(context, cycle_id)
    assert (await world.cycle(cycle_id)).status == "running"
    assert await world.trace_states() == ["claimed"]


async def test_any_number_of_decisions_can_be_written(world: World) -> None:
    cycle_id = await world.queue()
    # Of five columns each: more than one statement may have parameters.
    decisions = [
        TraceDecision(trace_id=new_id(), persistence="discard", reason="a greeting")
        for _ in range(2**16 // 5 + 1)
    ]
    async with world.sessions.begin() as session:
        await TraceStore(session).add_decisions(cycle_id, decisions)
        written = await session.scalar(select(func.count()).select_from(TraceDecisionRow))
    assert written == len(decisions)


async def test_each_trace_is_claimed_by_one_cycle_alone(sessions: Sessions, world: World) -> None:
    for number in range(60):
        await world.add_trace(f"trace {number}")
    cycles = []
    for _ in range(6):
        async with sessions.begin() as session:
            cycle_id = await SleepCycleStore(session).add(
                model_id=world.model_id, trigger="test", reason=None, requested_by=None
            )
            await session.execute(update(SleepCycleRow).values(status="failed"))
        cycles.append(cycle_id)

    async def claim(cycle_id: UUID) -> int:
        async with sessions.begin() as session:
            return await TraceStore(session).claim(world.model_id, cycle_id, 10)

    assert sum(await asyncio.gather(*(claim(cycle_id) for cycle_id in cycles))) == 60
    assert set(await world.trace_states()) == {"claimed"}


async def test_a_correction_that_comes_late_is_learned_though_its_trace_was_consolidated(
    context: Context, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = await world.add_trace(QUESTION)
    await run_cycle(context, await world.queue())
    assert await world.trace_states() == ["consolidated"]
    await world.correct(trace)

    async def stop(*arguments: object) -> Seeded:
        raise LeaseLostError("far enough")

    monkeypatch.setattr(cycle_module, "seed", stop)
    await run_cycle(context, await world.queue())
    [memory] = await world.memories()
    assert memory.evidence[0].trace_id == trace.id


async def test_of_two_that_disagree_only_one_is_learned_however_often_it_is_tried(
    context: Context, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stop(*arguments: object) -> Seeded:
        raise LeaseLostError("far enough")

    monkeypatch.setattr(cycle_module, "seed", stop)
    for value in ("Tromso", "Bergen"):
        lesson = f"The head office of Quillfeather is in {value}."
        await world.correct(await world.add_trace(QUESTION), lesson)
        cycle_id = await world.queue()
        await run_cycle(context, cycle_id)
        async with world.sessions.begin() as session:
            [result] = list(
                await session.scalars(
                    select(StageResultRow.result).where(
                        StageResultRow.cycle_id == cycle_id, StageResultRow.stage == "resolve"
                    )
                )
            )
            await session.execute(update(SleepCycleRow).values(status="rejected"))
        assert len(result["to_learn"]) == 1


async def test_a_cancel_that_was_accepted_is_never_followed_by_a_success(
    sessions: Sessions, world: World
) -> None:
    cycle_id = await world.queue()
    async with sessions.begin() as session:
        lease = await SleepCycleStore(session).lease(cycle_id, 60.0)
        assert lease is not None
        assert await SleepCycleStore(session).request_cancel(cycle_id)
    with pytest.raises(CycleCancelledError):
        async with sessions.begin() as session:
            await SleepCycleStore(session).finish(lease, "promoted")
    assert (await world.cycle(cycle_id)).status == "running"


async def test_a_tenants_cycle_never_sees_anothers_traces(context: Context, world: World) -> None:
    async with world.sessions.begin() as session:
        tenants = TenantStore(session)
        other = await tenants.ensure_tenant("other")
        model = await tenants.ensure_model(other, "default", "base")
        trace = make_trace(QUESTION, tenant_id=other, model_id=model)
        await TraceStore(session).add(trace)
        await SignalStore(session).add(
            other, FeedbackRequest(trace_id=trace.id, correction=LESSON), source="feedback"
        )
    cycle_id = await world.queue()
    await run_cycle(context, cycle_id)
    cycle = await world.cycle(cycle_id)
    assert (cycle.status, cycle.counts.traces) == ("skipped", 0)
    assert await world.trace_states() == ["queued"]
    assert await world.signal_states() == ["queued"]


async def test_a_turn_before_that_is_another_tenants_is_no_context(
    context: Context, world: World
) -> None:
    async with world.sessions.begin() as session:
        tenants = TenantStore(session)
        other = await tenants.ensure_tenant("other")
        model = await tenants.ensure_model(other, "default", "base")
        foreign = make_trace(QUESTION, LESSON, tenant_id=other, model_id=model)
        await TraceStore(session).add(foreign)
    # As an imported line may claim.
    await world.add_trace("No, that is wrong.", after=None, parent_id=foreign.id)
    cycle_id = await world.queue()
    async with world.sessions.begin() as session:
        await TraceStore(session).claim(world.model_id, cycle_id, 10)
        assert len(await TraceStore(session).claimed(cycle_id)) == 1
        assert await TraceStore(session).context(cycle_id) == []


async def test_a_cycle_whose_worker_dies_every_time_fails_and_gives_its_traces_back(
    context: Context, world: World
) -> None:
    await world.add_trace(QUESTION)
    cycle_id = await world.queue()
    for _ in range(context.settings.max_cycle_attempts):
        async with world.sessions.begin() as session:
            assert await SleepCycleStore(session).lease(cycle_id, 0.0) is not None
    await run_cycle(context, cycle_id)
    cycle = await world.cycle(cycle_id)
    assert cycle.status == "failed"
    assert "DORMOUSE_MAX_CYCLE_ATTEMPTS" in (cycle.error or "")
    assert await world.trace_states() == ["queued"]


async def test_workers_that_are_told_to_end_do_not_use_a_cycle_up(
    context: Context, world: World
) -> None:
    cycle_id = await world.queue()
    for _ in range(context.settings.max_cycle_attempts + 1):
        async with world.sessions.begin() as session:
            lease = await SleepCycleStore(session).lease(cycle_id, 60.0)
            assert lease is not None
            await SleepCycleStore(session).give_back(lease)
    await run_cycle(context, cycle_id)
    assert (await world.cycle(cycle_id)).status == "skipped"


async def test_what_a_person_rejected_is_held_when_it_is_taught_again(
    context: Context, world: World, engine: FakeEngine
) -> None:
    engine.answer = lambda model, text: LESSON if asks_for_lesson(text) else "I do not know."
    for _ in range(2):
        await world.correct(await world.add_trace(QUESTION))
        await run_cycle(context, await world.queue())
        async with world.sessions.begin() as session:
            first = (await world.memories())[0]
            store = MemoryStore(session)
            await store.set_state([first.id], "rolled_back")
            assert await store.review(first.id, "rejected", "admin", "a prank")
    assert [memory.state for memory in await world.memories()] == ["rejected", "held"]


async def test_only_the_newest_wordings_of_learned_memories_are_rehearsed(
    context: Context, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stop(*arguments: object) -> Seeded:
        raise LeaseLostError("far enough")

    monkeypatch.setattr(cycle_module, "seed", stop)
    await world.correct(await world.add_trace(QUESTION))
    await run_cycle(context, await world.queue())
    [memory] = await world.memories()

    def wording(question: str) -> SeedExample:
        turns = [{"role": "user", "content": question}, {"role": "assistant", "content": LESSON}]
        return SeedExample(
            id=new_id(),
            memory_id=memory.id,
            split="train",
            form="question",
            messages=turns,
            accept=[memory.value],
        )

    async with world.sessions.begin() as session:
        await session.execute(update(SleepCycleRow).values(status="rejected"))
    cycles = [memory.cycle_id, await world.queue()]
    for number, cycle_id in enumerate(cycles):
        async with world.sessions.begin() as session:
            await ExampleStore(session).replace_seeds(cycle_id, [wording(f"wording {number}?")])
    async with world.sessions.begin() as session:
        assert await ExampleStore(session).learned(world.model_id, "train") == []
        await MemoryStore(session).set_state([memory.id], "learned")
        [found] = await ExampleStore(session).learned(world.model_id, "train")
    assert found.question == "wording 1?"


async def test_an_unknown_cycle_is_nothing_to_do(context: Context) -> None:
    await run_cycle(context, uuid4())


async def test_what_answers_no_question_waits_in_the_context_and_is_not_trained_on(
    context: Context, world: World
) -> None:
    await world.add_trace('Please remember: in our shop we say "guests", not "customers".')
    cycle_id = await world.queue()
    await run_cycle(context, cycle_id)
    cycle = await world.cycle(cycle_id)
    assert (cycle.status, cycle.counts.memories, cycle.counts.seeds) == ("skipped", 1, 0)
    [memory] = await world.memories()
    assert memory.state == "pending"
    async with world.sessions.begin() as session:
        given = await MemoryStore(session).outside_weights(world.model_id, None, "Hello!")
    assert [item.id for item in given] == [memory.id]
