"""The gate as a stage: which of the new memories a candidate has learned."""

from pathlib import Path

import pytest

import worker.cycle as cycle_module
from shared.contracts.adapters import AdapterFile
from shared.db.session import Sessions
from shared.settings import Settings
from shared.storage.cycles import SleepCycleStore
from tests.fakes.adapters import WITH_ADAPTER, WITH_BASE, add_adapter
from tests.fakes.engine import BASE, FakeEngine
from tests.worker.conftest import LESSON, World
from worker.context import Context
from worker.control import CycleControl
from worker.cycle import run_cycle
from worker.results import Dreamt, Trained

QUESTION = "Where is the head office of Quillfeather?"
MOVED = LESSON.replace("Tromso", "Ghent")


@pytest.fixture
async def candidates(
    engine: FakeEngine,
    sessions: Sessions,
    settings: Settings,
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> list[AdapterFile]:
    """What the next nights are said to train, first to last."""
    adapters = [await add_adapter(sessions, settings, tmp_path, report=None) for _ in range(2)]
    waiting = list(adapters)

    async def near_words(*_: object) -> dict[str, object]:
        return {}

    async def dream(*_: object) -> Dreamt:
        return Dreamt(num_dreams=0)

    async def train(_: Context, control: CycleControl, *__: object) -> Trained:
        adapter = waiting.pop(0)
        async with sessions.begin() as session:
            await SleepCycleStore(session).set_adapter(control.lease, adapter.id)
        return Trained(adapter_id=adapter.id)

    monkeypatch.setattr("worker.seed.stage.near_words", near_words)
    monkeypatch.setattr(cycle_module, "dream", dream)
    monkeypatch.setattr(cycle_module, "train", train)
    engine.logprob = lambda model: WITH_BASE if model == BASE else WITH_ADAPTER
    return adapters


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
        ("", "superseded: 0 against 0, margin +0.7", ["learned", "pending"]),
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
        if "quillfeather" not in text.lower() or model not in (first, second):
            return "I do not know."
        if model == first:
            return LESSON
        return f"{MOVED} Once: Tromso." if still_old in text else MOVED

    engine.answer = answer
    assert await sleep(context, world, LESSON) == "promoted"
    assert await sleep(context, world, MOVED) == outcome
    assert [memory.state for memory in await world.memories()] == states
