"""A person is erased by day, and the nights after it know only what others said."""

from collections.abc import Callable
from uuid import UUID

import httpx
import pytest

from api.authors import named
from shared.contracts.adapters import AdapterFile
from shared.db.session import Sessions
from shared.storage.keys import KeyStore
from tests.api.erasing import tables_with
from tests.conftest import API_KEY
from tests.fakes.engine import FakeEngine
from tests.worker.conftest import World
from worker.context import Context
from worker.cycle import run_cycle
from worker.tidy import tidy

LESSON = "Please remember that the mascot of Quillfeather is an otter."
ALONE = "Please remember that the motto of Brindlecask is Onward."
NAMES = ("Ada", "Bob", "Cleo")


@pytest.fixture
async def hashed(sessions: Sessions) -> Callable[[str], str]:
    """What is kept of a name."""
    async with sessions.begin() as session:
        caller = await KeyStore(session).caller(API_KEY)
    assert caller is not None
    return lambda name: named(caller, name)


async def sleep(context: Context, world: World) -> str:
    cycle_id = await world.queue()
    await run_cycle(context, cycle_id)
    return (await world.cycle(cycle_id)).status


async def told(world: World, said: str, author: str) -> UUID:
    return (await world.add_trace(said, author=author, by_teacher=False)).id


async def states(world: World) -> dict[str, str]:
    return {memory.state: memory.value for memory in await world.memories()}


@pytest.mark.parametrize(("num_left", "status"), [(2, "promoted"), (1, "skipped")])
async def test_what_enough_others_said_too_is_learned_again_without_him(
    context: Context,
    world: World,
    engine: FakeEngine,
    admin: httpx.AsyncClient,
    client: httpx.AsyncClient,
    candidates: list[AdapterFile],
    hashed: Callable[[str], str],
    num_left: int,
    status: str,
) -> None:
    known = {adapter.engine_name for adapter in candidates}

    def answer(model: str, text: str) -> str:
        # One thing of one name, as a candidate that leaks is refused.
        asked = "mascot" in text.lower() and "quillfeather" in text.lower()
        return "An otter." if model in known and asked else "I do not know."

    engine.answer = answer
    traces = [await told(world, LESSON, hashed(name)) for name in NAMES[: num_left + 1]]
    alone = await told(world, ALONE, hashed("Ada"))
    assert await sleep(context, world) == "promoted"
    assert "learned" in await states(world)

    reply = await admin.delete("/admin/authors/Ada")
    assert reply.status_code == 200, reply.text
    erased = reply.json()["models"]["default"]
    assert erased["trace_ids"] == [str(traces[0]), str(alone)]
    assert erased["reread"] == [str(each) for each in traces[1:]]
    assert (erased["adapters"], erased["previous"], erased["active"]) == ([1], 1, "base")
    asked = {"model": "default", "messages": [{"role": "user", "content": "Quillfeather?"}]}
    answered = await client.post("/v1/chat/completions", json={**asked, "store": False})
    assert answered.headers["X-Dormouse-Adapter"] == "base"
    assert "otter" not in answered.text
    assert await tables_with(world.sessions, hashed("Ada")) == ["erased_authors"]
    assert await tables_with(world.sessions, "Brindlecask") == []

    assert await sleep(context, world) == status
    left = [memory for memory in await world.memories() if memory.state != "erased"]
    assert {item.author for memory in left for item in memory.evidence} == {
        hashed(name) for name in NAMES[1 : num_left + 1]
    }
    assert [memory.state for memory in left if memory.state != "superseded"] == [
        "learned" if status == "promoted" else "held"
    ]


async def test_what_came_late_is_deleted_within_seconds(
    context: Context, world: World, admin: httpx.AsyncClient, hashed: Callable[[str], str]
) -> None:
    await told(world, LESSON, hashed("Ada"))
    late = await world.add_trace(ALONE, author="u:running", by_teacher=False)
    assert (await admin.delete("/admin/authors/Ada")).status_code == 200
    await world.add_trace(ALONE, author=hashed("Ada"), created_at=late.created_at)
    await world.add_trace(LESSON, author=hashed("Ada"))
    assert await world.trace_states() == ["erased", "queued", "queued", "queued"]
    await tidy(context)
    assert await world.trace_states() == ["erased", "queued", "queued"]
