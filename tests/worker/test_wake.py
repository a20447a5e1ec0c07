"""What a version knows is written down when it wakes, and a rollback returns to that."""

from pathlib import Path
from uuid import UUID

import pytest

import worker.cycle as cycle_module
from shared.contracts.adapters import AdapterFile
from shared.db.session import Sessions
from shared.settings import Settings
from shared.storage.adapters import AdapterStore
from shared.storage.examples import ExampleStore
from shared.storage.known import KnownStore
from tests.fakes.adapters import PASSED, add_adapter, promote
from tests.fakes.engine import FakeEngine
from tests.worker.conftest import LESSON, World, asks_for_lesson
from worker.context import Context
from worker.cycle import run_cycle
from worker.results import Dreamt, Gated, Resolved, Trained

QUESTION = "Where is the head office of Quillfeather?"


@pytest.fixture
async def candidate(
    sessions: Sessions,
    settings: Settings,
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AdapterFile:
    """What the next cycle is said to train; the gate finds that it knows all that was new."""
    adapter = await add_adapter(sessions, settings, tmp_path, report=None)

    async def near_words(*_: object) -> dict[str, object]:
        return {}

    async def dream(*_: object) -> Dreamt:
        return Dreamt(num_dreams=0)

    async def train(*_: object) -> Trained:
        return Trained(adapter_id=adapter.id)

    async def gate(_: Context, __: object, ___: object, ____: Trained, resolved: Resolved) -> Gated:
        async with sessions.begin() as session:
            await AdapterStore(session).add_report(adapter.id, None, PASSED)
        return Gated(report=PASSED, learned=resolved.to_learn)

    monkeypatch.setattr("worker.seed.stage.near_words", near_words)
    for stage in (dream, train, gate):
        monkeypatch.setattr(cycle_module, stage.__name__, stage)
    return adapter


async def states(world: World) -> list[str]:
    return [memory.state for memory in await world.memories()]


async def roll_back(world: World, to: UUID | None) -> None:
    async with world.sessions.begin() as session:
        store = AdapterStore(session)
        await store.move(model_id=world.model_id, to=to, kind="rollback", actor="test")
        await KnownStore(session, world.model_id).follow(to, unknown_become="rolled_back")


async def test_no_later_night_brings_back_what_was_rolled_back(
    context: Context, world: World, candidate: AdapterFile
) -> None:
    await world.correct(await world.add_trace(QUESTION))
    cycle_id = await world.queue()
    await run_cycle(context, cycle_id)
    assert (await world.cycle(cycle_id)).status == "promoted"
    assert await states(world) == ["learned"]

    await roll_back(world, None)
    async with world.sessions.begin() as session:
        assert await ExampleStore(session).learned(world.model_id, "train") == []
    next_id = await world.queue()
    await run_cycle(context, next_id)
    assert (await world.cycle(next_id)).status == "skipped"
    assert await states(world) == ["rolled_back"]

    await roll_back(world, candidate.id)
    assert await states(world) == ["learned"]


async def test_what_the_active_version_turns_out_to_know_belongs_to_it(
    context: Context, world: World, engine: FakeEngine, candidate: AdapterFile
) -> None:
    async with world.sessions.begin() as session:
        await AdapterStore(session).add_report(candidate.id, None, PASSED)
    await promote(world.sessions, candidate)
    engine.answer = lambda model, text: LESSON if asks_for_lesson(text) else ""
    await world.correct(await world.add_trace(QUESTION))
    cycle_id = await world.queue()
    await run_cycle(context, cycle_id)
    assert (await world.cycle(cycle_id)).status == "skipped"
    await roll_back(world, None)
    assert await states(world) == ["rolled_back"]
    await roll_back(world, candidate.id)
    assert await states(world) == ["learned"]
