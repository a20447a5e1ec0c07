"""What the model knows already is settled without being taught."""

import pytest

from shared.storage.examples import ExampleStore
from tests.fakes.engine import BASE, FakeEngine
from tests.worker.conftest import LESSON, World
from worker.context import Context
from worker.cycle import run_cycle
from worker.seed.forms import build_forms
from worker.seed.known import MIN_RIGHT, known_already
from worker.seed.neighbours import lesson_of
from worker.seed.stage import seed_examples

QUESTION = "Where is the head office of Quillfeather?"


async def test_a_lesson_that_the_model_knows_already_is_learned_without_training(
    context: Context, world: World, engine: FakeEngine
) -> None:
    engine.answer = lambda model, text: LESSON
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
    engine.answer = lambda model, text: LESSON

    async def moved(*arguments: object) -> bool:
        return True

    monkeypatch.setattr("worker.wake._moved_meanwhile", moved)
    await world.correct(await world.add_trace(QUESTION))
    await run_cycle(context, await world.queue())
    assert [memory.state for memory in await world.memories()] == ["pending"]


async def test_what_is_known_is_rehearsed_from_then_on(
    context: Context, world: World, engine: FakeEngine
) -> None:
    engine.answer = lambda model, text: LESSON
    await world.correct(await world.add_trace(QUESTION))
    await run_cycle(context, await world.queue())
    async with world.sessions.begin() as session:
        rehearsed = await ExampleStore(session).learned(world.model_id, "train")
    assert len(rehearsed) > MIN_RIGHT


async def test_every_held_out_wording_must_be_answered_and_more_than_one(
    context: Context, world: World, engine: FakeEngine
) -> None:
    await world.correct(await world.add_trace(QUESTION))
    engine.answer = lambda model, text: LESSON
    await run_cycle(context, await world.queue())
    [memory] = await world.memories()
    examples = seed_examples(memory, build_forms(lesson_of(memory)), [])
    probes = [example for example in examples if example.split == "heldout"]
    assert len(probes) > MIN_RIGHT
    assert await known_already(context.engine, BASE, examples, 4) == {memory.id}
    assert await known_already(context.engine, BASE, probes[: MIN_RIGHT - 1], 4) == set()
    wrong = probes[0].question
    engine.answer = lambda model, text: "I do not know." if text == wrong else LESSON
    assert await known_already(context.engine, BASE, examples, 4) == set()
