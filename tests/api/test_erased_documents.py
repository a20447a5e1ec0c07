"""Erasing a document erases what was learned from it."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import update

from shared.db.session import Sessions
from shared.db.tables import DocumentRow, TraceRow
from tests.api.conftest import Nights, World
from tests.api.erasing import SAYS, SECRET, learned_from, say, tables_with
from tests.fakes.adapters import WITH_ADAPTER, WITH_BASE
from tests.fakes.engine import BASE, FakeEngine

TEXT = f"Ada lives in {SECRET}."
GIVEN = {"title": f"All about {SECRET}", "text": TEXT}


@pytest.fixture(autouse=True)
def adapters_act(engine: FakeEngine) -> None:
    engine.logprob = lambda model: WITH_BASE if model == BASE else WITH_ADAPTER


@pytest.fixture
def studied(admin: httpx.AsyncClient, sessions: Sessions) -> Any:
    """Gives a document, and leaves it as a night does that read it."""

    async def give(**fields: str) -> UUID:
        reply = await admin.post("/admin/documents", json=GIVEN | fields)
        counts = {"sentences": 1, "memories": 1, "unfit": 0, "without_fact": 0}
        async with sessions.begin() as session:
            await session.execute(update(DocumentRow).values(state="studied", counts=counts))
        return UUID(reply.json()["id"])

    return give


async def erase(admin: httpx.AsyncClient, document_id: UUID) -> dict[str, Any]:
    reply = await admin.delete(f"/admin/documents/{document_id}", params={"reason": "not ours"})
    assert reply.status_code == 200, reply.text
    body: dict[str, Any] = reply.json()
    return body


async def test_what_was_learned_from_a_document_goes_with_it_and_the_rest_is_learned_again(
    admin: httpx.AsyncClient, nights: Nights, world: World, sessions: Sessions, studied: Any
) -> None:
    document_id = await studied()
    await nights.learn(await world.remember(relation="founder"))
    memory = await learned_from(world, document_id=document_id)
    await nights.learn(memory, await world.remember(relation="colour"))
    found = set(await tables_with(sessions, SECRET))
    assert found == {"documents", "memories", "stage_results", "seed_examples"}

    assert await erase(admin, document_id) == {
        "trace_ids": [],
        "memory_ids": [str(memory.id)],
        "reread": [],
        "adapters": [2],
        "active": 1,
        "previous": 2,
        "to_relearn": 1,
    }
    assert await nights.states() == ["learned", "erased", "pending"]
    # The next gate's questions are the last that is known of it.
    assert await tables_with(sessions, SECRET) == ["seed_examples"]
    document = (await admin.get(f"/admin/documents/{document_id}")).json()
    assert (document["state"], document["title"]) == ("erased", "erased by admin: not ours")
    assert (document["num_chars"], document["counts"]) == (0, None)
    one = (await admin.get(f"/admin/memories/{memory.id}")).json()
    assert (one["state"], one["document_id"]) == ("erased", str(document_id))


async def test_once_more_changes_nothing_and_the_same_text_is_a_new_document(
    admin: httpx.AsyncClient, world: World, studied: Any
) -> None:
    first = await studied()
    await learned_from(world, document_id=first)
    assert len((await erase(admin, first))["memory_ids"]) == 1
    assert (await erase(admin, first))["memory_ids"] == []
    again = (await admin.post("/admin/documents", json=GIVEN)).json()
    assert (again["id"] != str(first), again["state"]) == (True, "queued")
    await erase(admin, UUID(again["id"]))
    states = [item["state"] for item in (await admin.get("/admin/documents")).json()["data"]]
    assert states == ["erased", "erased"]


async def test_what_chats_and_other_documents_say_too_is_read_again(
    client: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    nights: Nights,
    world: World,
    sessions: Sessions,
    studied: Any,
) -> None:
    document_id = await studied()
    same = await studied(text=f"Who asks for Ada is sent to {SECRET.upper()}.")
    other = await studied(text="Drumlin was founded by Selma Rooke.")
    told = await say(client, SAYS)
    memory = await learned_from(world, told, value=SECRET, document_id=document_id)
    await nights.learn(memory)
    async with sessions.begin() as session:
        await session.execute(update(TraceRow).values(state="consolidated"))
    erased = await erase(admin, document_id)
    assert (erased["reread"], erased["active"]) == ([str(told)], "base")
    listed = (await admin.get("/admin/documents")).json()["data"]
    states = {UUID(item["id"]): item["state"] for item in listed}
    assert states == {document_id: "erased", same: "queued", other: "studied"}
    assert (await admin.get(f"/admin/traces/{told}")).json()["state"] == "queued"


async def test_a_document_that_waits_is_never_read(
    admin: httpx.AsyncClient, sessions: Sessions
) -> None:
    document = (await admin.post("/admin/documents", json=GIVEN)).json()
    await erase(admin, UUID(document["id"]))
    assert await tables_with(sessions, SECRET) == []
    cycle = (await admin.get("/admin/documents")).json()["data"][0]
    assert cycle["state"] == "erased"


async def test_who_may_not_and_when_it_cannot(
    admin: httpx.AsyncClient,
    client: httpx.AsyncClient,
    stranger: httpx.AsyncClient,
    studied: Any,
) -> None:
    document_id = await studied()
    path = f"/admin/documents/{document_id}"
    assert (await client.delete(path)).status_code == 403
    assert (await stranger.delete(path)).status_code == 404
    assert (await admin.delete(f"/admin/documents/{uuid4()}")).status_code == 404
    assert (await admin.delete(path, params={"reason": "a\0b"})).status_code == 400
    assert (await admin.post("/admin/sleep-cycles")).status_code == 202
    refused = await admin.delete(path)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "sleep_cycle_active")
    assert (await admin.get(path)).json()["state"] == "studied"
