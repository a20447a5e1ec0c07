"""Which traces are erased together, and that nothing brings them back."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, update

from api.erasure.repeats import repeating
from shared.contracts.base import new_id
from shared.db.session import Sessions
from shared.db.tables import (
    MemoryEvidenceRow,
    TraceRow,
)
from shared.storage.cycles import SleepCycleStore
from shared.storage.memories import MemoryStore
from shared.storage.partitions import TracePartitionStore
from shared.storage.signals import SignalStore
from tests.api.conftest import World
from tests.api.erasing import SAYS, SECRET, erase, learned_from, replied, say, tables_with
from tests.fakes.traces import make_trace


async def test_turns_of_its_session_that_do_not_repeat_it_stay(
    client: httpx.AsyncClient, admin: httpx.AsyncClient, sessions: Sessions
) -> None:
    told = await say(client, SAYS)
    reply = await replied(admin, told)
    other = await say(client, "What is the capital of France?")
    later = await say(client, SAYS, reply, "Thank you!")
    last = await say(client, SAYS, reply, "Thank you!", await replied(admin, later), "Bye!")
    erased = (await erase(admin, told))["trace_ids"]
    assert erased == [str(told), str(later), str(last)]
    assert (await admin.get(f"/admin/traces/{other}")).json()["state"] == "queued"
    assert await tables_with(sessions, SECRET) == []


async def test_a_reply_that_was_asked_for_again_goes_too_and_a_greeting_takes_nobody(
    client: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    told, again = await say(client, SAYS), await say(client, SAYS)
    assert (await erase(admin, again))["trace_ids"] == [str(told), str(again)]
    hello = await say(client, "Hello!")
    await say(client, "What is the capital of France?")
    other = await say(client, "Hello!", "Good morning.", "Who founded Quillfeather?")
    assert (await erase(admin, hello))["trace_ids"] == [str(hello)]
    assert (await admin.get(f"/admin/traces/{other}")).json()["state"] == "queued"
    assert (await erase(admin, hello))["trace_ids"] == []


async def test_feedback_that_comes_at_the_same_moment_goes_too(
    client: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    sessions: Sessions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = await say(client, SAYS)
    add = SignalStore.add
    erasing: list[asyncio.Task[dict[str, Any]]] = []

    async def is_erased_before(store: SignalStore, *given: Any, **options: Any) -> Any:
        erasing.append(asyncio.create_task(erase(admin, told)))
        await asyncio.sleep(0.5)
        return await add(store, *given, **options)

    monkeypatch.setattr(SignalStore, "add", is_erased_before)
    feedback = {"trace_id": str(told), "correction": f"It is {SECRET}."}
    assert (await client.post("/v1/feedback", json=feedback)).status_code == 201
    assert len((await erasing[0])["trace_ids"]) == 1
    assert await tables_with(sessions, SECRET) == []


async def test_an_erased_session_memory_does_not_expire_and_an_erased_trace_is_not_forgotten(
    client: httpx.AsyncClient, admin: httpx.AsyncClient, world: World, sessions: Sessions
) -> None:
    told = await say(client, SAYS)
    lines = (await admin.get("/admin/traces")).content
    memory = await learned_from(world, told, persistence="session")
    await erase(admin, told)
    day = datetime.now(UTC).date()
    async with sessions.begin() as session:
        await session.execute(delete(MemoryEvidenceRow))
        await MemoryStore(session).expire_sessions()
        await TracePartitionStore(session).drop(day)
    async with sessions.begin() as session:
        await TracePartitionStore(session).delete_undated(datetime.now(UTC) + timedelta(days=1))
    assert (await admin.get(f"/admin/memories/{memory.id}")).json()["state"] == "erased"
    assert (await admin.post("/admin/traces", content=lines)).json()["imported"] == 0


@pytest.mark.parametrize(
    ("said", "replied_with", "history", "is_child", "repeats"),
    [
        # Another choice was gone on with, or the reply was shortened.
        ("It's 4711.", "Noted.", ["It's 4711.", "Fine."], True, True),
        ("It's 4711.", "Noted.", ["It's 4711.", "Noted."], False, True),
        ("Please note that it is 4711.", "Noted.", ["Please note that it is 4711."], False, True),
        ("Hello!", "Hi.", ["Hello!", "Good morning."], False, False),
        ("Thanks!", "You're welcome!", ["See you.", "You're welcome!"], False, False),
        # A client that sends no history.
        ("It's 4711.", "Noted.", [], True, False),
    ],
)
def test_which_turns_repeat_a_trace(
    said: str, replied_with: str, history: list[str], is_child: bool, repeats: bool
) -> None:
    first = make_trace(said, replied_with)
    roles = ("user", "assistant")
    messages = [
        {"role": roles[number % 2], "content": content}
        for number, content in enumerate([*history, "And now?"])
    ]
    later = make_trace("", request={"messages": messages}, parent_id=first.id if is_child else None)
    expected = [first.id, later.id] if repeats else [first.id]
    assert repeating(first.id, [first, later]) == expected


async def test_once_more_it_erases_what_came_since_and_else_nothing(
    client: httpx.AsyncClient, admin: httpx.AsyncClient, sessions: Sessions
) -> None:
    told = await say(client, SAYS)
    reply = await replied(admin, told)
    later = await say(client, SAYS, reply, "Thank you!")
    assert len((await erase(admin, told))["trace_ids"]) == 2
    assert (await erase(admin, told))["trace_ids"] == []
    since = await say(client, SAYS, reply, "Anything else?")
    async with sessions.begin() as session:
        # It had begun before, and ended after.
        began = update(TraceRow).where(TraceRow.id == since).values(parent_id=told)
        await session.execute(began)
    assert await tables_with(sessions, SECRET) == ["traces"]
    assert (await erase(admin, told))["trace_ids"] == [str(since)]
    assert (await erase(admin, later))["trace_ids"] == []
    assert await tables_with(sessions, SECRET) == []


async def test_an_erased_trace_is_neither_exported_spoken_of_nor_brought_back(
    client: httpx.AsyncClient, admin: httpx.AsyncClient, sessions: Sessions
) -> None:
    told = await say(client, SAYS)
    lines = (await admin.get("/admin/traces")).content
    await erase(admin, told)
    assert (await admin.get("/admin/traces")).content == b""
    feedback = {"trace_id": str(told), "rating": 1}
    assert (await client.post("/v1/feedback", json=feedback)).status_code == 404
    again = (await admin.post("/admin/traces", content=lines)).json()
    assert again == {"imported": 0, "known": 1}
    assert await tables_with(sessions, SECRET) == []


async def test_nothing_is_erased_beside_a_sleep_cycle(
    client: httpx.AsyncClient, admin: httpx.AsyncClient, world: World, sessions: Sessions
) -> None:
    told = await say(client, SAYS)
    async with sessions.begin() as session:
        cycle_id = await SleepCycleStore(session).add(
            model_id=world.model_id, trigger="request", reason=None, requested_by="test"
        )
    refused = await admin.delete(f"/admin/traces/{told}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "sleep_cycle_active")
    assert str(cycle_id) in refused.json()["error"]["message"]
    assert (await admin.get(f"/admin/traces/{told}")).json()["state"] == "queued"
    assert (await admin.post(f"/admin/sleep-cycles/{cycle_id}/cancel")).status_code == 202
    assert len((await erase(admin, told))["trace_ids"]) == 1


async def test_only_an_administrator_of_its_tenant_erases_a_trace(
    client: httpx.AsyncClient, admin: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    told = await say(client, SAYS)
    assert (await client.delete(f"/admin/traces/{told}")).status_code == 403
    assert (await stranger.delete(f"/admin/traces/{told}")).status_code == 404
    assert (await admin.delete(f"/admin/traces/{new_id()}")).status_code == 404
    assert (await admin.get(f"/admin/traces/{told}")).json()["state"] == "queued"
