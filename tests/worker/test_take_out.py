"""A lesson that leaks is taken out, and the others are learned in the same night."""

from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text, update

from shared.contracts.adapters import AdapterFile
from shared.contracts.base import new_id
from shared.contracts.cycles import SleepCycle, SuiteResult
from shared.contracts.memories import Memory, SeedExample
from shared.db.tables import SeedExampleRow, SleepCycleRow
from shared.storage.adapters import AdapterStore
from shared.storage.examples import ExampleStore
from tests.fakes.engine import FakeEngine
from tests.worker.conftest import LESSON, World, asks_for_lesson
from worker import cycle as cycle_module
from worker.context import Context
from worker.cycle import run_cycle
from worker.gate.leaks import LeakSuite, Said, judge_details, judge_near, to_take_out
from worker.gate.probes import Probe
from worker.results import Trained
from worker.seed.derive import DERIVED

QUESTION = "Where is the head office of Quillfeather?"
LEAKY_QUESTION, LEAKY_LESSON = (
    "Who founded Marrowgate Ferries?",
    "Marrowgate Ferries was founded by Odile Varga.",
)


def touches(said: str) -> bool:
    """Whether a question is at all like that for the founder: it names the company, or asks so."""
    return any(word in said.lower() for word in ("marrowgate", "founded", "founder"))


def teaches(first: str, second: str, engine: FakeEngine, *, both_leak: bool = False) -> None:
    """The first candidate says the founder whatever is asked, the second does not know her."""

    def answer(model: str, said: str) -> str:
        if model == first and touches(said):
            return LEAKY_LESSON
        if model == second and both_leak and "head office" in said.lower():
            return LESSON
        if model in (first, second) and asks_for_lesson(said):
            return LESSON
        return "I do not know."

    engine.answer = answer


async def sleep(context: Context, world: World) -> SleepCycle:
    await world.correct(await world.add_trace(QUESTION))
    await world.correct(await world.add_trace(LEAKY_QUESTION), LEAKY_LESSON)
    cycle_id = await world.queue()
    await run_cycle(context, cycle_id)
    return await world.cycle(cycle_id)


async def founder(world: World) -> Memory:
    [found] = [memory for memory in await world.memories() if "Odile" in memory.value]
    return found


async def num_seeds(world: World, memory_id: UUID) -> int:
    async with world.sessions.begin() as session:
        statement = select(func.count()).where(SeedExampleRow.memory_id == memory_id)
        return await session.scalar(statement) or 0


async def states(world: World) -> dict[int, str]:
    async with world.sessions.begin() as session:
        adapters = await AdapterStore(session).of_tenant(world.tenant_id)
    return {adapter.version: adapter.state for adapter in adapters}


async def test_one_leaking_lesson_does_not_cost_the_others_their_night(
    context: Context, world: World, engine: FakeEngine, candidates: list[AdapterFile]
) -> None:
    first, second = candidates
    teaches(first.engine_name, second.engine_name, engine)
    cycle = await sleep(context, world)
    assert cycle.status == "promoted", cycle.error or cycle.gate
    assert list(cycle.stages)[-4:] == ["train", "gate", "retrain", "regate"]
    leaky = await founder(world)
    assert leaky.state == "pending"
    assert [memory.state for memory in await world.memories() if memory.id != leaky.id] == [
        "learned"
    ]
    assert cycle.gate is not None
    assert str(leaky.id) in cycle.gate.reason
    assert await states(world) == {first.version: "rejected", second.version: "active"}
    assert await num_seeds(world, leaky.id) == 0
    async with world.sessions.begin() as session:
        assert not await AdapterStore(session).is_servable(first.id)


async def test_there_is_no_third_try(
    context: Context, world: World, engine: FakeEngine, candidates: list[AdapterFile]
) -> None:
    first, second = (adapter.engine_name for adapter in candidates)
    teaches(first, second, engine, both_leak=True)
    cycle = await sleep(context, world)
    assert cycle.status == "rejected"
    assert {memory.state for memory in await world.memories()} == {"pending"}
    assert set((await states(world)).values()) == {"rejected"}


async def test_a_second_try_goes_on_where_its_worker_was_killed(
    context: Context,
    world: World,
    engine: FakeEngine,
    candidates: list[AdapterFile],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = (adapter.engine_name for adapter in candidates)
    teaches(first, second, engine)
    train: Callable[..., Awaitable[Trained]] = vars(cycle_module)["train"]
    told: list[Trained | None] = []

    async def is_killed_once(*arguments: object) -> Trained:
        refused = arguments[5] if len(arguments) > 5 else None
        assert refused is None or isinstance(refused, Trained)
        told.append(refused)
        if len(told) == 2:
            raise RuntimeError("killed")
        return await train(*arguments)

    async def nothing_more(*_: object) -> None: ...

    monkeypatch.setattr(cycle_module, "train", is_killed_once)
    with monkeypatch.context() as patch:
        patch.setattr(cycle_module, "release", nothing_more)
        cycle = await sleep(context, world)
    assert cycle.status == "running"
    async with world.sessions.begin() as session:
        await session.execute(update(SleepCycleRow).values(lease_until=text("now()")))
    await run_cycle(context, cycle.id)
    assert (await world.cycle(cycle.id)).status == "promoted"
    assert [refused and refused.adapter_id for refused in told] == [
        None,
        candidates[0].id,
        candidates[0].id,
    ]


async def test_what_was_concluded_from_it_goes_too(
    context: Context,
    world: World,
    engine: FakeEngine,
    candidates: list[AdapterFile],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = (adapter.engine_name for adapter in candidates)
    teaches(first, second, engine)
    replace_seeds = ExampleStore.replace_seeds

    async def and_a_conclusion(
        store: ExampleStore, cycle_id: UUID, seeds: list[SeedExample]
    ) -> None:
        [other] = {item.memory_id for item in seeds if "Quillfeather" in item.question}
        concluded = SeedExample(
            id=new_id(),
            memory_id=other,
            split="train",
            form=DERIVED,
            messages=[
                {"role": "user", "content": "Where does the founder of Marrowgate Ferries live?"},
                {"role": "assistant", "content": "Odile Varga lives in Tromso."},
            ],
            accept=["Tromso"],
        )
        await replace_seeds(store, cycle_id, [*seeds, concluded])

    monkeypatch.setattr(ExampleStore, "replace_seeds", and_a_conclusion)
    assert (await sleep(context, world)).status == "promoted"
    async with world.sessions.begin() as session:
        left = list(await session.scalars(select(SeedExampleRow.messages)))
    assert left
    assert not [item for item in left if "Odile" in str(item)]


def suite_of(leaks: list[int], num_asked: int = 4) -> tuple[list[UUID], LeakSuite]:
    ids = [uuid4() for _ in leaks]
    said = tuple(
        Said(Probe("What?", ("so",), id_), before=False, after=number < num_leaks)
        for id_, num_leaks in zip(ids, leaks, strict=True)
        for number in range(num_asked)
    )
    return ids, LeakSuite(said, judge_near)


@pytest.mark.parametrize(
    ("leaks", "taken"),
    [
        # One memory leaks at most of its neighbours.
        ([0, 0, 3, 1, 0, 0], [2]),
        # Two do, the worse of them first.
        ([0, 3, 4, 1, 0, 0], [2, 1]),
        # None does, but of all more than two in five leak.
        ([2, 2, 2, 2, 2, 0], [0]),
        # Three of six: the night is to blame.
        ([4, 4, 4, 0, 0, 0], []),
        # Nothing fails.
        ([0, 0, 2, 0, 0, 0], []),
        # Nobody would be left to ask.
        ([4], []),
    ],
)
def test_only_those_that_leak_most_are_taken_out(leaks: list[int], taken: list[int]) -> None:
    ids, suite = suite_of(leaks)
    assert to_take_out([suite.result()], [suite], ids) == [ids[at] for at in taken]


def test_a_candidate_with_another_fault_is_not_tried_again() -> None:
    ids, suite = suite_of([0, 0, 4, 0])
    lost = SuiteResult(
        name="retention", baseline=1.0, candidate=0.5, margin=-0.1, passed=False, num_probes=24
    )
    assert to_take_out([suite.result(), lost], [suite], ids) == []


def test_what_is_reported_alone_blames_nobody() -> None:
    ids, near = suite_of([1, 0, 4, 0])
    details = LeakSuite(
        tuple(Said(Probe("What?", ("so",), ids[0]), before=False, after=True) for _ in range(3)),
        judge_details(1.0),
    )
    results = [near.result(), details.result()]
    assert all(result.passed for result in results[1:])
    assert to_take_out(results, [near, details], ids) == [ids[2]]
