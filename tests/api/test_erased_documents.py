"""Erasing a document erases what was learned from it."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import update

from shared.db.session import Sessions
from shared.db.tables import DocumentRow, TraceRow
from tests.api.conftest import Nights, World
from tests.api.erasing import SAYS, SECRET, erase, learned_from, say, tables_with
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


async def test_what_was_learned_from_a_document_goes_with_it_and_the_rest_is_learned_again(
    admin: httpx.AsyncClient, nights: Nights, world: World, sessions: Sessions, studied: Any
) -> None:
    document_id = await studied()
    await nights.learn(await world.remember(relation="founder"))
    memory = await learned_from(world, document_id=document_id)
    await nights.learn(memory, await world.remember(relation="colour"))
    found = set(await tables_with(sessions, SECRET))
    assert found == {"documents", "memories", "stage_results", "seed_examples"}

    assert await erase(admin, document_id, "documents") == {
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
    assert (document["state"], document["title"]) == ("erased", "erased by admin: request 17")
    assert (document["num_chars"], document["counts"]) == (0, None)
    one = (await admin.get(f"/admin/memories/{memory.id}")).json()
    assert (one["state"], one["document_id"]) == ("erased", str(document_id))


async def test_once_more_changes_nothing_and_the_same_text_is_a_new_document(
    admin: httpx.AsyncClient, world: World, studied: Any
) -> None:
    first = await studied()
    await learned_from(world, document_id=first)
    assert len((await erase(admin, first, "documents"))["memory_ids"]) == 1
    assert (await erase(admin, first, "documents"))["memory_ids"] == []
    again = (await admin.post("/admin/documents", json=GIVEN)).json()
    assert (again["id"] != str(first), again["state"]) == (True, "queued")
    await erase(admin, UUID(again["id"]), "documents")
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
    other = await studied(text=f"Who asks for Ada is sent to {SECRET}.")
    told = await say(client, SAYS)
    memory = await learned_from(world, told, document_id=document_id)
    await nights.learn(memory)
    same = await world.remember(
        document_id=other, state="superseded", superseded_by=memory.id, answer="It is there."
    )
    async with sessions.begin() as session:
        await session.execute(update(TraceRow).values(state="consolidated"))
    erased = await erase(admin, document_id, "documents")
    assert (erased["reread"], erased["active"]) == ([str(told)], "base")
    listed = (await admin.get("/admin/documents")).json()["data"]
    assert [item["state"] for item in listed] == ["erased", "studied"]
    # The other document's own words wait.
    one = (await admin.get(f"/admin/memories/{same.id}")).json()
    assert (one["state"], one["superseded_by"]) == ("pending", None)
    assert (await admin.get(f"/admin/traces/{told}")).json()["state"] == "queued"


@pytest.mark.parametrize("state", ["rolled_back", "rejected"])
async def test_what_a_person_took_back_waits_for_a_person_when_another_document_says_it(
    admin: httpx.AsyncClient, world: World, studied: Any, state: str
) -> None:
    document_id = await studied()
    memory = await learned_from(world, document_id=document_id, state=state)
    same = await world.remember(state="superseded", superseded_by=memory.id)
    await erase(admin, document_id, "documents")
    one = (await admin.get(f"/admin/memories/{same.id}")).json()
    assert (one["state"], one["superseded_by"]) == ("held", None)


async def test_a_reason_that_quotes_it_keeps_its_other_words(
    admin: httpx.AsyncClient, world: World, studied: Any
) -> None:
    document_id = await studied()
    memory = await learned_from(world, document_id=document_id, value=SECRET)
    rival = await world.remember(relation="motto")
    why = f"contradicts memory {rival.id} ({memory.value!r}), for which more speaks"
    held = await world.remember(state="held", reason=why)
    await erase(admin, document_id, "documents")
    one = (await admin.get(f"/admin/memories/{held.id}")).json()
    assert one["state"] == "held"
    assert one["reason"] == why.replace(repr(SECRET), "what is erased")


async def test_the_questions_of_an_earlier_erasing_go_once_nothing_is_left_to_rebuild(
    admin: httpx.AsyncClient, nights: Nights, world: World, sessions: Sessions, studied: Any
) -> None:
    first, second = await studied(), await studied(title="More", text="So it is.")
    memory = await learned_from(world, document_id=first)
    await nights.learn(memory)
    await world.remember(document_id=second, state="superseded", superseded_by=memory.id)
    assert (await erase(admin, first, "documents"))["to_relearn"] == 1
    assert await tables_with(sessions, SECRET) == ["seed_examples"]
    await erase(admin, second, "documents")
    assert await tables_with(sessions, SECRET) == []


async def test_a_document_that_waits_is_never_read(
    admin: httpx.AsyncClient, sessions: Sessions
) -> None:
    document = (await admin.post("/admin/documents", json=GIVEN)).json()
    await erase(admin, UUID(document["id"]), "documents")
    assert await tables_with(sessions, SECRET) == []
    [listed] = (await admin.get("/admin/documents")).json()["data"]
    assert listed["state"] == "erased"


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
