"""What the model knows already is settled without being taught."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from shared.contracts.memories import SeedExample
from shared.db.session import Sessions
from shared.settings import Settings
from shared.storage.examples import ExampleStore
from shared.storage.models import ModelStore
from tests.fakes.adapters import add_adapter, promote
from tests.fakes.engine import BASE, FakeEngine
from tests.fakes.memories import make_memory
from tests.worker.conftest import LESSON, World, asks_for_lesson
from worker.context import Context
from worker.cycle import run_cycle
from worker.seed.forms import build_forms
from worker.seed.known import MIN_RIGHT, known_already
from worker.seed.neighbours import lesson_of
from worker.seed.stage import seed_examples

QUESTION = "Where is the head office of Quillfeather?"


def knows(model: str, text: str) -> str:
    return LESSON if asks_for_lesson(text) else "I do not know."


async def test_a_lesson_that_the_model_knows_already_is_learned_without_training(
    context: Context, world: World, engine: FakeEngine
) -> None:
    engine.answer = knows
    await world.correct(await world.add_trace(QUESTION))
    cycle_id = await world.queue()
    await run_cycle(context, cycle_id)
    cycle = await world.cycle(cycle_id)
    assert (cycle.status, cycle.counts.seeds, cycle.counts.dreams) == ("skipped", 0, 0)
    assert [memory.state for memory in await world.memories()] == ["learned"]
    assert await world.trace_states() == ["consolidated"]


async def test_what_an_adapter_knew_that_is_not_active_any_more_waits(
    context: Context, world: World, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.answer = knows

    async def moved(*arguments: object) -> bool:
        return True

    monkeypatch.setattr("worker.wake._moved_meanwhile", moved)
    await world.correct(await world.add_trace(QUESTION))
    await run_cycle(context, await world.queue())
    assert [memory.state for memory in await world.memories()] == ["pending"]


async def test_what_is_known_is_rehearsed_from_then_on(
    context: Context, world: World, engine: FakeEngine
) -> None:
    engine.answer = knows
    await world.correct(await world.add_trace(QUESTION))
    await run_cycle(context, await world.queue())
    async with world.sessions.begin() as session:
        rehearsed = await ExampleStore(session).learned(world.model_id, "train")
    assert len(rehearsed) > MIN_RIGHT


Known = Callable[[Sequence[SeedExample]], Awaitable[bool]]


@pytest.fixture
async def lesson(context: Context, world: World, engine: FakeEngine) -> list[SeedExample]:
    """The examples of one memory."""
    await world.correct(await world.add_trace(QUESTION))
    engine.answer = knows
    await run_cycle(context, await world.queue())
    [memory] = await world.memories()
    return seed_examples(memory, build_forms(lesson_of(memory)), [])


@pytest.fixture
async def known(context: Context, world: World) -> Known:
    """Whether the memory is taken for known by these examples."""

    async def known(examples: Sequence[SeedExample]) -> bool:
        memories = await world.memories()
        async with world.sessions.begin() as session:
            awake = await ModelStore(session).route_of(world.model_id)
        found = await known_already(context.engine, awake, memories, examples, [], 4)
        return found == {memory.id for memory in memories}

    return known


async def test_every_held_out_wording_must_be_answered_and_more_than_one(
    lesson: list[SeedExample], known: Known, engine: FakeEngine
) -> None:
    probes = [example for example in lesson if example.split == "heldout"]
    assert len(probes) > MIN_RIGHT
    assert await known(lesson)
    assert not await known(probes[: MIN_RIGHT - 1])
    wrong = probes[0].question
    engine.answer = lambda model, text: "I do not know." if text == wrong else knows(model, text)
    assert not await known(lesson)


async def test_what_is_said_of_a_name_that_nobody_was_told_about_is_a_guess(
    lesson: list[SeedExample], known: Known, engine: FakeEngine
) -> None:
    engine.answer = lambda model, text: LESSON
    assert not await known(lesson)


async def test_what_is_said_of_any_house_is_a_guess_where_nothing_is_named(
    context: Context, world: World, engine: FakeEngine
) -> None:
    question, value = "On which day are the bins emptied at the office?", "Thursday"
    memory = make_memory(subject="", question=question, answer=f"On {value}.", value=value)
    examples = seed_examples(memory, build_forms(lesson_of(memory)), [])
    async with world.sessions.begin() as session:
        awake = await ModelStore(session).route_of(world.model_id)
    engine.answer = lambda model, text: f"On {value}."
    assert await known_already(context.engine, awake, [memory], examples, [], 4) == set()


async def test_both_the_base_and_the_active_adapter_must_know(
    lesson: list[SeedExample],
    known: Known,
    engine: FakeEngine,
    sessions: Sessions,
    settings: Settings,
    tmp_path: Path,
) -> None:
    adapter = await add_adapter(sessions, settings, tmp_path)
    await promote(sessions, adapter)
    engine.adapters[adapter.engine_name] = adapter.path
    assert await known(lesson)
    engine.answer = lambda model, text: "" if model == BASE else knows(model, text)
    assert not await known(lesson)
    engine.answer = lambda model, text: knows(model, text) if model == BASE else ""
    assert not await known(lesson)
