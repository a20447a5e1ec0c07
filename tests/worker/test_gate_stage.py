"""The gate as a stage: which of the new memories a candidate has learned."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import OperationalError

import worker.cycle as cycle_module
from shared.contracts.adapters import AdapterFile
from shared.contracts.cycles import Lease, SleepCycle, Stage
from shared.db.tables import SleepCycleRow
from shared.storage.adapters import AdapterStore
from shared.storage.cycles import SleepCycleStore
from tests.fakes.engine import FakeEngine
from tests.worker.conftest import LESSON, World, asks_for_lesson
from worker.context import Context
from worker.control import CycleControl
from worker.cycle import run_cycle
from worker.results import Dreamt

QUESTION = "Where is the head office of Quillfeather?"
MOVED = LESSON.replace("Tromso", "Ghent")


async def sleep(context: Context, world: World, correction: str) -> str:
    await world.correct(await world.add_trace(QUESTION), correction)
    cycle_id = await world.queue()
    await run_cycle(context, cycle_id)
    cycle = await world.cycle(cycle_id)
    assert cycle.gate is not None, cycle.error
    return cycle.gate.reason if cycle.status == "rejected" else cycle.status


@pytest.mark.parametrize(
    ("still_old", "outcome", "states"),
    [
        ("never", "promoted", ["superseded", "learned"]),
        ("Remind me", "promoted", ["learned", "pending"]),
        ("", "superseded: 0 against 0, margin +0.7, 4 probes", ["learned", "pending"]),
    ],
)
async def test_a_lesson_is_not_learned_while_what_it_replaces_is_still_said(
    context: Context,
    world: World,
    engine: FakeEngine,
    candidates: list[AdapterFile],
    still_old: str,
    outcome: str,
    states: list[str],
) -> None:
    first, second = (adapter.engine_name for adapter in candidates)

    def answer(model: str, text: str) -> str:
        if not asks_for_lesson(text) or model not in (first, second):
            return "I do not know."
        if model == first:
            return LESSON
        return f"{MOVED} Once: Tromso." if still_old in text else MOVED

    engine.answer = answer
    assert await sleep(context, world, LESSON) == "promoted"
    assert await sleep(context, world, MOVED) == outcome
    assert [memory.state for memory in await world.memories()] == states


async def resumed(context: Context, world: World, cycle_id: UUID) -> SleepCycle:
    """The cycle after another worker took it."""
    assert (await world.cycle(cycle_id)).status == "running"
    async with world.sessions.begin() as session:
        await session.execute(update(SleepCycleRow).values(lease_until=text("now()")))
    await run_cycle(context, cycle_id)
    return await world.cycle(cycle_id)


def answer_of(knows: bool, said: str) -> str:
    return LESSON if knows and asks_for_lesson(said) else "I do not know."


def away() -> OperationalError:
    return OperationalError("SELECT 1", {}, ConnectionError("gone"))


async def test_a_database_that_is_away_for_a_moment_rejects_no_candidate(
    context: Context,
    world: World,
    engine: FakeEngine,
    candidates: list[AdapterFile],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine.answer = lambda model, said: answer_of(model == candidates[0].engine_name, said)
    report = CycleControl.report
    failed: list[str] = []

    async def fails_once(
        control: CycleControl, progress: float, detail: str | None = None, *, force: bool = False
    ) -> None:
        if control.stage is Stage.GATE and detail and not failed:
            failed.append(detail)
            raise away()
        await report(control, progress, detail, force=force)

    monkeypatch.setattr(CycleControl, "report", fails_once)
    await world.correct(await world.add_trace(QUESTION))
    cycle_id = await world.queue()
    await run_cycle(context, cycle_id)
    assert failed
    assert (await resumed(context, world, cycle_id)).status == "promoted"


@pytest.mark.parametrize("passes_first", [False, True])
async def test_a_gate_that_ran_twice_has_one_verdict(
    context: Context,
    world: World,
    engine: FakeEngine,
    candidates: list[AdapterFile],
    monkeypatch: pytest.MonkeyPatch,
    passes_first: bool,
) -> None:
    finish = SleepCycleStore.finish_stage
    unfinished: list[Stage] = []

    async def fails_once(
        store: SleepCycleStore, lease: Lease, stage: Stage, *args: Any, **kwargs: Any
    ) -> None:
        if stage is Stage.GATE and not unfinished:
            unfinished.append(stage)
            raise away()
        await finish(store, lease, stage, *args, **kwargs)

    def answer(model: str, said: str) -> str:
        knows = passes_first is not bool(unfinished)
        return answer_of(knows and model == candidates[0].engine_name, said)

    engine.answer = answer
    monkeypatch.setattr(SleepCycleStore, "finish_stage", fails_once)
    await world.correct(await world.add_trace(QUESTION))
    cycle_id = await world.queue()
    await run_cycle(context, cycle_id)
    assert (await world.cycle(cycle_id)).gate is None
    cycle = await resumed(context, world, cycle_id)
    assert cycle.status == ("rejected" if passes_first else "promoted"), cycle.error
    assert cycle.gate is not None
    assert cycle.gate.passed is not passes_first
    async with world.sessions.begin() as session:
        servable = await AdapterStore(session).is_servable(candidates[0].id)
    assert servable is not passes_first


async def test_an_engine_that_restarted_is_told_of_both_before_the_gate(
    context: Context,
    world: World,
    engine: FakeEngine,
    candidates: list[AdapterFile],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = (adapter.engine_name for adapter in candidates)

    def answer(model: str, said: str) -> str:
        if not asks_for_lesson(said):
            return "I do not know."
        return {first: LESSON, second: MOVED}.get(model, "")

    engine.answer = answer
    assert await sleep(context, world, LESSON) == "promoted"

    async def dream(*_: object) -> Dreamt:
        engine.adapters.clear()
        return Dreamt(num_dreams=0)

    monkeypatch.setattr(cycle_module, "dream", dream)
    assert await sleep(context, world, MOVED) == "promoted"
    assert set(engine.adapters) == {first, second}
