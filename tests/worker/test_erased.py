"""What was erased by day: the next gate asks for it, and its files go."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from shared.contracts.adapters import AdapterFile
from shared.contracts.cycles import SleepCycle
from shared.db.session import Sessions
from shared.db.tables import SleepCycleRow
from shared.engine.adapter_files import adopt
from shared.settings import Settings
from shared.storage.adapters import AdapterStore
from shared.storage.erasure import ErasureStore
from tests.fakes.adapters import add_adapter, write_adapter
from tests.fakes.engine import FakeEngine
from tests.worker.conftest import LESSON, World, asks_for_lesson
from worker.context import Context
from worker.cycle import run_cycle
from worker.tidy import tidy
from worker.workplace import ADAPTER, workplace

QUESTION = "Where is the head office of Quillfeather?"
OTHER_QUESTION, OTHER = "Who founded Brindlecask?", "Brindlecask was founded by Ottilie Brandt."


async def sleep(context: Context, world: World, question: str, correction: str) -> SleepCycle:
    await world.correct(await world.add_trace(question), correction)
    cycle_id = await world.queue()
    await run_cycle(context, cycle_id)
    return await world.cycle(cycle_id)


async def erase_the_lesson(world: World, adapter: AdapterFile) -> None:
    [memory] = await world.memories()
    async with world.sessions.begin() as session:
        await AdapterStore(session).move(
            model_id=world.model_id, to=None, kind="rollback", actor="test"
        )
        store = ErasureStore(session, world.model_id)
        await store.erase_memories([memory.id], [], None, "erased by test")
        await store.erase_adapters([adapter.id])
        await store.erase_seeds([memory.id])


def is_there(adapter: AdapterFile) -> bool:
    return Path(adapter.path).exists()


async def probes(world: World) -> int:
    async with world.sessions.begin() as session:
        return len(await ErasureStore(session, world.model_id).probes())


@pytest.mark.parametrize(
    ("still_knows", "status"),
    [(False, "promoted"), (True, "rejected")],
)
async def test_the_gate_refuses_a_candidate_that_knows_what_was_erased(
    context: Context,
    world: World,
    engine: FakeEngine,
    candidates: list[AdapterFile],
    still_knows: bool,
    status: str,
) -> None:
    first, second = (adapter.engine_name for adapter in candidates)

    def answer(model: str, text: str) -> str:
        if "brindlecask" in text.lower():
            return OTHER if model == second and "found" in text.lower() else "I do not know."
        knows = model == first or (still_knows and model == second)
        return LESSON if knows and asks_for_lesson(text) else "I do not know."

    engine.answer = answer
    assert (await sleep(context, world, QUESTION, LESSON)).status == "promoted"
    await erase_the_lesson(world, candidates[0])
    num_asked = await probes(world)
    assert num_asked > 0

    cycle = await sleep(context, world, OTHER_QUESTION, OTHER)

    assert cycle.gate is not None
    assert cycle.status == status
    [suite] = [suite for suite in cycle.gate.suites if suite.name == "erased"]
    assert suite.num_probes == num_asked
    assert suite.passed == (status == "promoted")
    # Whoever was promoted was the last to be asked.
    assert await probes(world) == (0 if status == "promoted" else num_asked)


async def test_what_is_said_again_by_others_is_learned_again(
    context: Context, world: World, engine: FakeEngine, candidates: list[AdapterFile]
) -> None:
    known = {adapter.engine_name for adapter in candidates}
    engine.answer = lambda model, text: (
        LESSON if model in known and asks_for_lesson(text) else "I do not know."
    )
    await sleep(context, world, QUESTION, LESSON)
    await erase_the_lesson(world, candidates[0])
    assert (await sleep(context, world, QUESTION, LESSON)).status == "promoted"
    assert [memory.state for memory in await world.memories()] == ["erased", "learned"]
    assert await probes(world) == 0


async def test_the_files_of_an_erased_version_are_deleted_late(
    context: Context,
    world: World,
    engine: FakeEngine,
    sessions: Sessions,
    settings: Settings,
    tmp_path: Path,
) -> None:
    erased, kept = [await add_adapter(sessions, settings, tmp_path) for _ in range(2)]
    engine.adapters[erased.engine_name] = erased.path
    async with sessions.begin() as session:
        await ErasureStore(session, world.model_id).erase_adapters([erased.id])
    await tidy(context)
    assert is_there(erased)
    at_once = context.settings.model_copy(update={"erased_adapter_wait_s": 0.0})
    for _ in range(2):
        await tidy(replace(context, settings=at_once))
        assert not is_there(erased)
    assert erased.engine_name not in engine.adapters
    assert is_there(kept)


async def test_files_that_another_version_has_too_stay(
    context: Context, world: World, sessions: Sessions, settings: Settings, tmp_path: Path
) -> None:
    erased = await add_adapter(sessions, settings, tmp_path)
    async with sessions.begin() as session:
        await AdapterStore(session).add(
            model_id=world.model_id,
            cycle_id=None,
            parent_id=None,
            sha256=erased.sha256,
            path=erased.path,
        )
        await ErasureStore(session, world.model_id).erase_adapters([erased.id])
    at_once = context.settings.model_copy(update={"erased_adapter_wait_s": 0.0})
    await tidy(replace(context, settings=at_once))
    assert is_there(erased)


@pytest.mark.parametrize(("status", "stays"), [("running", True), ("failed", False)])
async def test_what_a_trainer_left_of_an_ended_cycle_is_deleted(
    context: Context, world: World, status: str, stays: bool
) -> None:
    cycle_id = await world.queue()
    async with world.sessions.begin() as session:
        await session.execute(update(SleepCycleRow).values(status=status))
    place = workplace(context.settings, cycle_id)
    somebodys = place.with_name("training-data")
    for directory in (place, somebodys):
        directory.mkdir(parents=True)
    await tidy(context)
    assert (place.exists(), somebodys.exists()) == (stays, True)


@pytest.mark.parametrize("recorded", [True, False])
async def test_files_that_a_killed_worker_did_not_record_are_deleted_with_its_workplace(
    context: Context, world: World, recorded: bool
) -> None:
    cycle_id = await world.queue()
    async with world.sessions.begin() as session:
        await session.execute(update(SleepCycleRow).values(status="failed"))
    trained = write_adapter(workplace(context.settings, cycle_id) / ADAPTER)
    sha256, path = adopt(trained, context.settings.adapters_dir)
    assert trained.exists()
    if recorded:
        async with world.sessions.begin() as session:
            await AdapterStore(session).add(
                model_id=world.model_id,
                cycle_id=cycle_id,
                parent_id=None,
                sha256=sha256,
                path=str(path),
            )
    await tidy(context)
    assert (trained.exists(), path.exists()) == (False, recorded)
