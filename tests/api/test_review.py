"""A person decides about what is held, pending or rolled back: accept, reject or edit."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.contracts.memories import REVIEWED_STATES, MemoryChange, MemoryState
from shared.db.session import Sessions
from shared.storage.keys import KeyStore
from shared.storage.memories import MemoryStore
from shared.storage.tenants import TenantStore
from tests.api.conftest import World

ACCEPT = {"decision": "accept", "reason": "the lease says so"}
REJECT = {"decision": "reject", "reason": "a joke"}
LESSON = {"answer": "It is in Tromso.", "value": "Tromso", "reason": "1 of 2 authors said it"}


async def review(client: httpx.AsyncClient, memory_id: object, **body: Any) -> httpx.Response:
    return await client.post(f"/admin/memories/{memory_id}/review", json=body)


async def edit(client: httpx.AsyncClient, memory_id: object, **words: str) -> httpx.Response:
    return await review(client, memory_id, decision="edit", reason="it moved", **words)


@pytest.mark.parametrize("state", REVIEWED_STATES)
async def test_what_is_accepted_waits_for_a_night_and_its_reviewer_stands_for_it(
    client: httpx.AsyncClient, world: World, state: MemoryState
) -> None:
    added = await world.remember(state=state, authority=None, held_for="authors", **LESSON)
    body = (await review(client, added.id, **ACCEPT)).json()
    assert (body["state"], body["authority"], body["held_for"]) == ("pending", "reviewer", None)
    assert body["reviewed_by"] == "chat"
    assert body["reason"] == "chat accepted it: the lease says so; 1 of 2 authors said it"
    assert (await client.get(f"/admin/memories/{added.id}")).json() == body


@pytest.mark.parametrize("state", REVIEWED_STATES)
async def test_what_is_rejected_says_who_did_and_why(
    admin: httpx.AsyncClient, world: World, state: MemoryState
) -> None:
    added = await world.remember(state=state, held_for="conflict", **LESSON)
    body = (await review(admin, added.id, **REJECT)).json()
    assert (body["state"], body["held_for"], body["reviewed_by"]) == ("rejected", None, "admin")
    assert body["reason"].startswith("admin rejected it: a joke; ")


@pytest.mark.parametrize("state", ["learned", "superseded", "rejected", "expired", "erased"])
async def test_what_nobody_is_asked_about_is_a_conflict_that_names_its_state(
    admin: httpx.AsyncClient, world: World, state: MemoryState
) -> None:
    added = await world.remember(state=state)
    for reply in (await review(admin, added.id, **ACCEPT), await edit(admin, added.id, value="x")):
        assert (reply.status_code, reply.json()["error"]["code"]) == (409, "memory_not_held")
        assert f"is {state}" in reply.json()["error"]["message"]


async def test_what_holds_for_a_session_is_not_decided(
    admin: httpx.AsyncClient, world: World
) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=1)
    added = await world.remember(persistence="session", session_id="mine", expires_at=soon)
    assert (await review(admin, added.id, **ACCEPT)).status_code == 409


async def test_an_edit_changes_only_what_is_given_and_keeps_what_was_said(
    admin: httpx.AsyncClient, world: World
) -> None:
    added = await world.remember(state="held", held_for="screen", authority=None, **LESSON)
    body = (await edit(admin, added.id, answer="It is in Bergen, Norway.", value="BERGEN")).json()
    assert (body["answer"], body["value"]) == ("It is in Bergen, Norway.", "BERGEN")
    assert (body["state"], body["authority"], body["held_for"]) == ("pending", "reviewer", None)
    assert body["reason"] == (
        "admin edited it: it moved; said was: answer 'It is in Tromso.', value 'Tromso'; "
        "1 of 2 authors said it"
    )
    kept = ("question", "subject", "relation")
    assert [body[name] for name in kept] == [getattr(added, name) for name in kept]


async def test_another_question_has_no_key_until_a_night_reads_it(
    admin: httpx.AsyncClient, world: World
) -> None:
    added = await world.remember(state="held", **LESSON)
    question = "Where is the warehouse of Brindlewick?"
    body = (await edit(admin, added.id, question=question)).json()
    assert (body["question"], body["subject"], body["relation"]) == (question, "", "")
    assert (body["answer"], body["value"]) == ("It is in Tromso.", "Tromso")
    again = await world.remember(state="held", **LESSON)
    body = (await edit(admin, again.id, question=again.question, value="in Tromso")).json()
    assert body["subject"] == again.subject, "the same question is no other"


@pytest.mark.parametrize(
    ("words", "param"),
    [
        ({"value": "Bergen"}, "value"),
        ({"answer": "It is in Bergen."}, "answer"),
        ({"answer": "It is in Bergen.", "value": "Berg"}, "value"),
        ({"value": "..."}, "value"),
        ({"question": " "}, "question"),
        ({}, "decision"),
    ],
)
async def test_an_edit_whose_words_do_not_hang_together_changes_nothing(
    admin: httpx.AsyncClient, world: World, words: dict[str, str], param: str
) -> None:
    added = await world.remember(state="held", **LESSON)
    reply = await edit(admin, added.id, **words)
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, param)
    found = (await admin.get(f"/admin/memories/{added.id}")).json()
    assert (found["state"], found["answer"], found["reviewed_by"]) == (
        "held",
        "It is in Tromso.",
        None,
    )


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("Send it to O'Neill's, TROMSO!", "o'neill's tromso"),
        ("Der Sitz ist in der Straße 5.", "STRASSE 5"),
        ("総部は東京にあります。", "東京"),
    ],
)
async def test_a_value_stands_in_its_answer_without_case_and_punctuation(
    admin: httpx.AsyncClient, world: World, answer: str, value: str
) -> None:
    added = await world.remember(state="held", **LESSON)
    assert (await edit(admin, added.id, answer=answer, value=value)).status_code == 200


@pytest.mark.parametrize("decision", ["accept", "reject"])
async def test_words_go_with_an_edit_alone(
    admin: httpx.AsyncClient, world: World, decision: str
) -> None:
    added = await world.remember(state="held")
    reply = await review(admin, added.id, decision=decision, reason="why", value="Tromso")
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "value")


async def test_many_are_decided_at_once_and_the_others_say_why_not(
    admin: httpx.AsyncClient, stranger: httpx.AsyncClient, world: World
) -> None:
    held, pending = await world.remember(state="held"), await world.remember()
    learned, nowhere = await world.remember(state="learned"), uuid4()
    asked = {"ids": [str(item) for item in (held.id, learned.id, pending.id, nowhere)]}
    theirs = await stranger.post("/admin/memories/review", json=asked | REJECT)
    assert theirs.json()["decided"] == []
    assert theirs.json()["not_decided"].keys() == set(asked["ids"])
    reply = await admin.post("/admin/memories/review", json=asked | ACCEPT)
    assert reply.status_code == 200
    body = reply.json()
    assert body["decided"] == [str(held.id), str(pending.id)]
    assert body["not_decided"].keys() == {str(learned.id), str(nowhere)}
    assert "is learned" in body["not_decided"][str(learned.id)]
    assert "no memory" in body["not_decided"][str(nowhere)]
    rows = (await admin.get("/admin/memories")).json()["data"]
    assert [row["state"] for row in rows] == ["pending", "pending", "learned"]
    assert [row["reviewed_by"] for row in rows] == ["admin", "admin", None]


async def test_many_are_not_edited(admin: httpx.AsyncClient, world: World) -> None:
    held = await world.remember(state="held")
    bodies: list[dict[str, Any]] = [
        {"decision": "edit", "reason": "x"},
        {"decision": "accept"},
        ACCEPT | {"ids": []},
    ]
    for body in bodies:
        asked = {"ids": [str(held.id)], **body}
        assert (await admin.post("/admin/memories/review", json=asked)).status_code == 400


async def test_a_teacher_reviews_and_a_chat_key_does_not(
    client: httpx.AsyncClient, api: str, world: World, sessions: Sessions
) -> None:
    held = await world.remember(state="held")
    async with sessions.begin() as session:
        tenant_id = await TenantStore(session).ensure_tenant("default")
        await KeyStore(session).ensure(tenant_id, "shop", "chat", "a-chat-key-of-a-shop")
    headers = {"Authorization": "Bearer a-chat-key-of-a-shop"}
    async with httpx.AsyncClient(base_url=api, headers=headers) as shop:
        many = {"ids": [str(held.id)], **ACCEPT}
        for reply in (
            await shop.get("/admin/memories"),
            await shop.get(f"/admin/memories/{held.id}"),
            await review(shop, held.id, **ACCEPT),
            await shop.post("/admin/memories/review", json=many),
        ):
            assert reply.status_code == 403
    assert (await review(client, held.id, **ACCEPT)).status_code == 200


async def test_what_is_held_is_found_by_what_it_waits_for_and_by_its_cycle(
    admin: httpx.AsyncClient, world: World
) -> None:
    first = await world.remember(state="held", held_for="authors")
    second = await world.remember(state="held", held_for="person")

    async def found(**asked: str) -> list[str]:
        reply = await admin.get("/admin/memories", params=asked)
        return [item["id"] for item in reply.json()["data"]]

    assert await found(held_for="authors") == [str(first.id)]
    assert await found(state="held", cycle=str(second.cycle_id)) == [str(second.id)]
    assert await found(state="pending", held_for="person") == []
    refused = await admin.get("/admin/memories", params={"held_for": "luck"})
    assert refused.status_code == 400


@pytest.mark.parametrize("state", ["pending", "held"])
async def test_what_a_person_accepted_is_not_held_because_a_night_had_planned_to(
    admin: httpx.AsyncClient, world: World, state: MemoryState
) -> None:
    added = await world.remember(state=state, **LESSON)
    planned = MemoryChange(
        memory_id=added.id,
        was=state,
        was_reason=added.reason,
        state="held",
        held_for="authors",
        reason="1 of 2 authors said it",
    )
    await review(admin, added.id, **ACCEPT)
    async with world.sessions.begin() as session:
        await MemoryStore(session).apply([planned])
    found = (await admin.get(f"/admin/memories/{added.id}")).json()
    assert (found["state"], found["reviewed_by"]) == ("pending", "admin")
