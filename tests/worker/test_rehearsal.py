"""Which examples of earlier memories a cycle takes."""

import random
from collections.abc import Iterable
from uuid import UUID, uuid4

import pytest

import worker.cycle as cycle_module
import worker.train as train_module
from shared.contracts.memories import Dream, SeedExample
from shared.errors import LeaseLostError
from shared.storage.examples import ExampleStore
from tests.worker.conftest import World
from tests.worker.test_derive import FOUNDER, fact
from worker.context import Context
from worker.control import CycleControl
from worker.cycle import run_cycle
from worker.rehearsal import in_new_words, spread, unrelated
from worker.results import Dreamt, Seeded
from worker.seed.neighbours import form_example, lesson_of
from worker.seed.wordings import wordings
from worker.trainer.job import TrainJob


def examples_of(num_memories: int, num_each: int) -> list[SeedExample]:
    return [
        SeedExample(
            id=uuid4(),
            memory_id=UUID(int=memory),
            split="train",
            form="question",
            messages=[],
            accept=[],
        )
        for memory in range(num_memories)
        for _ in range(num_each)
    ]


def test_every_memory_comes_before_one_comes_twice() -> None:
    chosen = spread(examples_of(5, 4), 7, random.Random(0))
    counts = [sum(item.memory_id.int == memory for item in chosen) for memory in range(5)]
    assert sorted(counts) == [1, 1, 1, 2, 2]
    assert len({item.id for item in chosen}) == 7


def test_with_more_memories_than_places_none_is_left_out_for_good() -> None:
    examples = examples_of(100, 3)
    seen = {
        item.memory_id for cycle in range(30) for item in spread(examples, 40, random.Random(cycle))
    }
    assert len(seen) == 100


def test_fewer_examples_than_places_all_come_once() -> None:
    examples = examples_of(2, 2)
    chosen = spread(examples, 64, random.Random(0))
    assert {item.id for item in chosen} == {item.id for item in examples}
    assert spread([], 64, random.Random(0)) == []


def dream_of(question: str) -> Dream:
    said = [{"role": "user", "content": question}, {"role": "assistant", "content": "I say so."}]
    return Dream(id=uuid4(), messages=said)


def test_no_dream_holds_what_a_lesson_changes() -> None:
    asked = ["How long do Refunds take?", "Who founded Acme?", "Who founded Acmeville?", "The end?"]
    kept = unrelated([dream_of(question) for question in asked], ["refunds", "Acme", "the", ""])
    assert [dream.messages[0]["content"] for dream in kept] == asked[2:]
    assert len(unrelated([dream_of(question) for question in asked], [])) == len(asked)


async def test_what_earlier_nights_dreamt_is_drawn_again_each_once(
    context: Context, world: World
) -> None:
    first = await world.queue()
    await run_cycle(context, first)
    second = await world.queue()
    async with world.sessions.begin() as session:
        store = ExampleStore(session)
        await store.replace_dreams(first, [dream_of(f"Who is {n}?") for n in range(5)])
        again = await store.earlier_dreams(world.model_id, second, 3)
        await store.replace_dreams(second, [*again, dream_of("Where am I?")])
        drawn = await store.earlier_dreams(world.model_id, uuid4(), 9)
        assert await store.earlier_dreams(uuid4(), second, 9) == []
    questions = {dream.messages[0]["content"] for dream in drawn}
    assert len(again) == 3
    assert len(drawn) == 6 == len(questions)
    assert questions == {*(f"Who is {n}?" for n in range(5)), "Where am I?"}


async def test_training_is_not_given_dreams_of_what_memories_are_about(
    context: Context, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def seed(*_: object) -> Seeded:
        return Seeded(num_train=1, num_heldout=0, known=())

    async def dream(context: Context, control: CycleControl, _: object) -> Dreamt:
        asked = [dream_of("Who runs Quillfeather?"), dream_of("Who runs a shop?")]
        async with context.sessions.begin() as session:
            await ExampleStore(session).replace_dreams(control.lease.cycle_id, asked)
        return Dreamt(num_dreams=len(asked))

    jobs: list[TrainJob] = []

    async def trainer(control: CycleControl, job: TrainJob, *_: object) -> None:
        jobs.append(job)
        raise LeaseLostError("far enough")

    monkeypatch.setattr(cycle_module, "seed", seed)
    monkeypatch.setattr(cycle_module, "dream", dream)
    monkeypatch.setattr(train_module, "_run_trainer", trainer)
    await world.correct(await world.add_trace("Where is the head office of Quillfeather?"))
    await run_cycle(context, await world.queue())
    [job] = jobs
    assert [item.messages[0].content for item in job.dreams] == ["Who runs a shop?"]


def test_each_night_rehearses_in_wordings_of_its_own_and_never_in_held_out_ones() -> None:
    founder, wifi = FOUNDER, fact("What is the guest wifi at Drumlin called?", "It is Sorrel.")
    stored = [
        form_example(memory, form)
        for memory in (founder, wifi)
        for form in wordings(lesson_of(memory), {})
        if form.split == "train"
    ]
    in_force = [founder, wifi, fact("Who leads Tindrel?", "Ada Lind leads Tindrel.")]

    near = {"wifi": ["network"], "guest": ["visitor"]}

    def night(number: int, held_out: Iterable[str] = (), limit: int = 100) -> list[SeedExample]:
        return in_new_words(stored, in_force, held_out, near, limit, random.Random(number))

    first, second = ({item.question for item in night(number)} for number in (1, 2))
    assert {item.memory_id for item in night(1)} == {founder.id, wifi.id}
    assert first == {item.question for item in night(1)}
    assert len(second - first) > len(second) / 2
    assert len(second - {item.question for item in stored}) > len(second) / 2
    assert all(item.accept[0].lower() in str(item.messages[-1]).lower() for item in night(1))
    assert first.isdisjoint({item.question for item in night(1, held_out=first)})
    assert len(night(1, limit=3)) == 3
    assert in_new_words([], in_force, (), near, 9, random.Random(0)) == []
    questions = [item.question for item in night(1) if item.memory_id == wifi.id]
    assert any("network" in question.split() for question in questions)
    questions = [item.question for item in night(1) if item.memory_id == founder.id]
    assert any("sorrel" in question.split() for question in questions)
