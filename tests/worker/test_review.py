"""What a night proposes is learned by a later one; what a person decides meanwhile stands."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import select

import worker.cycle as cycle_module
from shared.contracts.adapters import AdapterFile
from shared.contracts.cycles import SleepCycle, Stage
from shared.contracts.memories import Memory, MemoryState
from shared.db.tables import AdapterRow
from shared.storage.adapters import AdapterStore
from shared.storage.memories import MemoryStore
from tests.fakes.engine import FakeEngine
from tests.fakes.memories import make_memory
from tests.worker.conftest import LESSON, World, asks_for_lesson
from worker.context import Context
from worker.cycle import run_cycle
from worker.lessons.keys import with_key

QUESTION = "Where is the head office of Quillfeather?"
OTHER = QUESTION.replace("Quillfeather", "Brindlewick")


async def night(context: Context, world: World, stop_after: Stage | None = None) -> SleepCycle:
    cycle_id = await world.queue(stop_after)
    await run_cycle(context, cycle_id)
    return await world.cycle(cycle_id)


async def decide(
    world: World, state: MemoryState, words: dict[str, str] | None = None, at: int = -1
) -> None:
    """What anna decides of the newest memory, or another one."""
    memory = (await world.memories())[at]
    async with world.sessions.begin() as session:
        store = MemoryStore(session)
        assert await store.review(memory.id, state, "anna", "anna says so", words)


def knowing(candidate: AdapterFile) -> Callable[[str, str], str]:
    """An engine whose candidate has learned the lesson."""

    def answer(model: str, text: str) -> str:
        is_known = model == candidate.engine_name and asks_for_lesson(text)
        return LESSON if is_known else "I do not know."

    return answer


def before(stage: str, act: Callable[[], Awaitable[None]], patch: pytest.MonkeyPatch) -> None:
    """Something happens as a stage begins."""
    real = getattr(cycle_module, stage)

    async def interrupted(*arguments: Any) -> Any:
        await act()
        return await real(*arguments)

    patch.setattr(cycle_module, stage, interrupted)


async def active(world: World) -> object:
    async with world.sessions.begin() as session:
        return await AdapterStore(session).active_id(world.model_id)


async def test_a_proposal_reads_and_decides_and_trains_nothing(
    context: Context, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never() -> None:
        raise AssertionError("a proposal seeds nothing")

    before("seed", never, monkeypatch)
    await world.correct(await world.add_trace(QUESTION))
    cycle = await night(context, world, Stage.RESOLVE)
    assert (cycle.status, cycle.stage, cycle.adapter) == ("proposed", Stage.RESOLVE, None)
    assert (cycle.counts.memories, cycle.counts.seeds) == (1, 0)
    [memory] = await world.memories()
    assert (memory.state, memory.authority) == ("pending", "teacher")
    assert await world.trace_states() == ["consolidated"]
    assert await world.signal_states() == ["consolidated"]
    async with world.sessions.begin() as session:
        assert list(await session.scalars(select(AdapterRow))) == []


async def test_a_later_night_learns_what_was_proposed(
    context: Context, world: World, engine: FakeEngine, candidates: list[AdapterFile]
) -> None:
    engine.answer = knowing(candidates[0])
    await world.correct(await world.add_trace(QUESTION))
    assert (await night(context, world, Stage.RESOLVE)).status == "proposed"
    cycle = await night(context, world)
    assert (cycle.status, cycle.counts.traces) == ("promoted", 0)
    assert [memory.state for memory in await world.memories()] == ["learned"]


async def test_a_proposal_that_a_person_rejects_is_not_learned(
    context: Context, world: World
) -> None:
    await world.correct(await world.add_trace(QUESTION))
    await night(context, world, Stage.RESOLVE)
    await decide(world, "rejected")
    assert (await night(context, world)).status == "skipped"
    assert [memory.state for memory in await world.memories()] == ["rejected"]


@pytest.mark.parametrize(
    ("state", "words", "status"),
    [
        ("rejected", {}, "rejected"),
        ("pending", {"answer": "It is in Bergen.", "value": "Bergen"}, "rejected"),
        ("pending", {}, "promoted"),
    ],
)
@pytest.mark.parametrize("stage", ["dream", "promote_or_reject"])
async def test_a_candidate_that_was_taught_what_a_person_turned_down_does_not_answer(
    context: Context,
    world: World,
    engine: FakeEngine,
    candidates: list[AdapterFile],
    monkeypatch: pytest.MonkeyPatch,
    state: MemoryState,
    words: dict[str, str],
    status: str,
    stage: str,
) -> None:
    engine.answer = knowing(candidates[0])
    await world.correct(await world.add_trace(QUESTION))
    before(stage, lambda: decide(world, state, words), monkeypatch)
    cycle = await night(context, world)
    [memory] = await world.memories()
    assert cycle.status == status
    assert memory.reason == "anna says so"
    if status == "promoted":
        assert (memory.state, await active(world)) == ("learned", candidates[0].id)
    else:
        assert (memory.state, await active(world)) == (state, None)
        assert str(memory.id) in str(cycle.error)
        assert await world.trace_states() == ["consolidated"]


async def test_what_the_rejected_lesson_would_have_replaced_stays_in_force(
    context: Context,
    world: World,
    engine: FakeEngine,
    candidates: list[AdapterFile],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine.answer = knowing(candidates[0])
    await world.correct(await world.add_trace(QUESTION))
    await night(context, world)
    await world.correct(await world.add_trace(QUESTION), LESSON.replace("Tromso", "Ghent"))
    before("promote_or_reject", lambda: decide(world, "rejected"), monkeypatch)
    assert (await night(context, world)).status == "rejected"
    assert [memory.state for memory in await world.memories()] == ["learned", "rejected"]


async def test_what_is_rejected_before_its_examples_are_written_costs_no_night(
    context: Context,
    world: World,
    engine: FakeEngine,
    candidates: list[AdapterFile],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine.answer = knowing(candidates[0])
    await world.correct(await world.add_trace(QUESTION))
    await world.correct(await world.add_trace(OTHER), LESSON.replace("Quillfeather", "Brindlewick"))
    before("seed", lambda: decide(world, "rejected"), monkeypatch)
    cycle = await night(context, world)
    assert cycle.status == "promoted", cycle.error
    assert [memory.state for memory in await world.memories()] == ["learned", "rejected"]


async def test_what_the_model_knows_already_is_not_learned_once_it_is_rejected(
    context: Context, world: World, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def near_words(*_: object) -> dict[str, object]:
        return {}

    monkeypatch.setattr("worker.seed.stage.near_words", near_words)
    engine.answer = lambda model, text: LESSON if asks_for_lesson(text) else "I do not know."
    await world.correct(await world.add_trace(QUESTION))
    before("skip", lambda: decide(world, "rejected"), monkeypatch)
    assert (await night(context, world)).status == "skipped"
    assert [memory.state for memory in await world.memories()] == ["rejected"]


async def test_a_cycle_that_fails_takes_back_nothing_that_a_person_decided(
    context: Context, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.correct(await world.add_trace(QUESTION))
    await world.correct(await world.add_trace(OTHER), LESSON.replace("Quillfeather", "Brindlewick"))

    async def accepted_and_broken() -> None:
        await decide(world, "pending")
        raise ValueError("the pen is empty")

    before("seed", accepted_and_broken, monkeypatch)
    assert (await night(context, world)).status == "failed"
    assert [memory.state for memory in await world.memories()] == ["rejected", "pending"]


async def test_an_edited_question_has_its_key_read_before_it_is_compared(
    context: Context, world: World
) -> None:
    await world.correct(await world.add_trace(QUESTION))
    await night(context, world, Stage.RESOLVE)
    [first] = await world.memories()
    async with world.sessions.begin() as session:
        await MemoryStore(session).set_state([first.id], "learned")
    await world.correct(await world.add_trace(OTHER), LESSON.replace("Quillfeather", "Brindlewick"))
    await night(context, world, Stage.RESOLVE)
    unread = {"question": QUESTION, "answer": LESSON, "subject": "", "relation": ""}
    await decide(world, "pending", unread)
    await night(context, world, Stage.RESOLVE)
    first, edited = await world.memories()
    assert edited.key == first.key
    assert (edited.state, edited.superseded_by) == ("superseded", first.id)


@pytest.mark.parametrize(
    ("memory", "key"),
    [
        (make_memory(question="Who runs Drumlin?", answer="Selma."), ("Drumlin", "run")),
        (
            make_memory(
                kind="behaviour",
                question="What do you say to somebody who asks about late parcels?",
            ),
            ("late parcels", "ask somebody"),
        ),
        (
            make_memory(kind="workflow", question="Book a van for Drumlin."),
            ("", "book drumlin van"),
        ),
    ],
)
def test_the_key_of_each_kind_is_read_from_its_question(
    memory: Memory, key: tuple[str, str]
) -> None:
    read = with_key(memory)
    assert (read.subject, read.relation) == key
