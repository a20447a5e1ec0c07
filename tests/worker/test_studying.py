"""Documents in a cycle: claimed, read, settled or given back, on real PostgreSQL."""

import pytest

from shared.contracts.documents import DocumentRequest
from shared.storage.documents import DocumentStore
from tests.worker.conftest import World
from worker import cycle as cycle_module
from worker.context import Context
from worker.cycle import run_cycle
from worker.results import Seeded

TEXT = "# Drumlin\n\nDrumlin was founded by Selma Rooke. Welcome! Its door code is 4711."


async def give(world: World, text: str) -> None:
    async with world.sessions.begin() as session:
        await DocumentStore(session).add(
            world.tenant_id, world.model_id, DocumentRequest(title="Handbook", text=text)
        )


async def states(world: World) -> list[str]:
    async with world.sessions.begin() as session:
        return [item.state for item in await DocumentStore(session).of_tenant(world.tenant_id)]


async def test_a_document_without_facts_is_studied_and_its_cycle_skipped(
    context: Context, world: World
) -> None:
    await give(world, "Welcome to all of you!")
    cycle_id = await world.queue()
    await run_cycle(context, cycle_id)
    assert (await world.cycle(cycle_id)).status == "skipped"
    assert await states(world) == ["studied"]


async def test_what_a_document_states_is_learned_from_it_and_a_failure_gives_it_back(
    context: Context, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await give(world, TEXT)
    cycle_id = await world.queue()

    async def broken(*arguments: object) -> Seeded:
        [memory] = await world.memories()
        assert (memory.question, memory.value) == ("Who founded Drumlin?", "Selma Rooke")
        async with world.sessions.begin() as session:
            [document] = await DocumentStore(session).of_tenant(world.tenant_id)
        assert (memory.document_id, document.state) == (document.id, "claimed")
        assert document.counts is not None
        assert document.counts.model_dump() == {
            "sentences": 3,
            "memories": 1,
            "unfit": 1,
            "without_fact": 1,
        }
        raise ValueError("the pen is empty")

    monkeypatch.setattr(cycle_module, "seed", broken)
    await run_cycle(context, cycle_id)
    assert (await world.cycle(cycle_id)).error == "seed: ValueError: the pen is empty"
    assert await states(world) == ["queued"]
    assert [memory.state for memory in await world.memories()] == ["rejected"]
