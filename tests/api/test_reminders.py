"""What a chat is told in its context: lessons that no adapter holds, and no others."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api.chat.reminders import relevant, reminded
from shared.contracts.memories import MemoryChange, MemoryState
from shared.db.session import Sessions
from shared.db.tables import TraceRow
from shared.storage.memories import MemoryStore
from tests.api.conftest import World
from tests.fakes.engine import FakeEngine
from tests.fakes.memories import make_memory

ASK = "Where is the head office of Quillfeather?"


async def chat(client: httpx.AsyncClient, text: str = ASK, **options: Any) -> httpx.Response:
    body = {"model": "default", "messages": [{"role": "user", "content": text}]}
    reply = await client.post("/v1/chat/completions", json=body, **options)
    assert reply.status_code == 200
    return reply


async def test_a_lesson_that_no_adapter_holds_is_given_to_chats_that_touch_on_it(
    client: httpx.AsyncClient, world: World, engine: FakeEngine
) -> None:
    added = await world.remember()
    reply = await chat(client, "Can I visit quillfeather's head office?")
    assert reply.headers["X-Dormouse-Memories"] == str(added.id)
    assert engine.bodies[-1]["messages"] == [
        {"role": "system", "content": "Keep in mind:\n- It is in Tromso."},
        {"role": "user", "content": "Can I visit quillfeather's head office?"},
    ]
    other = await chat(client, "What is the capital of France?")
    assert "X-Dormouse-Memories" not in other.headers
    assert len(engine.bodies[-1]["messages"]) == 1


async def test_the_trace_keeps_what_the_client_sent_and_names_what_was_given(
    client: httpx.AsyncClient, world: World, sessions: Sessions
) -> None:
    added = await world.remember()
    await chat(client)
    await chat(client, "Hello!")
    async with sessions.begin() as session:
        first, second = await session.scalars(select(TraceRow).order_by(TraceRow.id))
    assert first.request["messages"] == [{"role": "user", "content": ASK}]
    assert first.memory_ids == [added.id]
    assert second.memory_ids is None
    # They would hold the lesson's words, which may be erased some day.
    assert (first.prompt_token_ids, second.prompt_token_ids) == (None, [7, 8])


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "learned"},
        {"state": "held"},
        {"state": "superseded"},
        {"cycle_status": "running"},
        {"persistence": "session", "session_id": "another", "expires_in_s": 60},
        {"persistence": "session", "session_id": "mine", "expires_in_s": -60},
        {"persistence": "session", "session_id": "mine", "author": "u:x", "expires_in_s": 60},
        {"authority": None},
    ],
)
async def test_nothing_else_is_given(
    client: httpx.AsyncClient, world: World, engine: FakeEngine, fields: dict[str, Any]
) -> None:
    expires_in_s = fields.pop("expires_in_s", None)
    if expires_in_s is not None:
        fields["expires_at"] = datetime.now(UTC) + timedelta(seconds=expires_in_s)
        fields.setdefault("author", world.author)
    await world.remember(**fields)
    await chat(client, headers={"X-Dormouse-Session": "mine"})
    assert len(engine.bodies[-1]["messages"]) == 1


async def test_what_only_matters_for_a_session_is_given_in_it_while_it_lives(
    client: httpx.AsyncClient, world: World, engine: FakeEngine
) -> None:
    await world.remember(
        persistence="session",
        session_id="mine",
        author=world.author,
        subject="",
        answer="Call me Captain.",
        expires_at=datetime.now(UTC) + timedelta(minutes=1),
    )
    await chat(client, "Good morning!", headers={"X-Dormouse-Session": "mine"})
    assert "Call me Captain." in engine.bodies[-1]["messages"][0]["content"]
    await chat(client, "Good morning!", headers={"X-Dormouse-Session": "another"})
    assert len(engine.bodies[-1]["messages"]) == 1


async def test_a_session_that_is_only_found_by_its_words_may_be_somebody_elses(
    client: httpx.AsyncClient, world: World, engine: FakeEngine
) -> None:
    first = await chat(client, "Hi")
    await world.remember(
        persistence="session",
        session_id=first.headers["X-Dormouse-Session"],
        author=world.author,
        expires_at=datetime.now(UTC) + timedelta(minutes=1),
    )
    said = [{"role": "user", "content": "Hi"}, first.json()["choices"][0]["message"]]
    body = {"model": "default", "messages": [*said, {"role": "user", "content": "And now?"}]}
    reply = await client.post("/v1/chat/completions", json=body)
    assert reply.headers["X-Dormouse-Session"] == first.headers["X-Dormouse-Session"]
    assert len(engine.bodies[-1]["messages"]) == 3


async def test_what_a_person_accepted_goes_on_to_the_memory_that_says_the_same(
    admin: httpx.AsyncClient, world: World
) -> None:
    accepted, stays = await world.remember(reviewed_by="admin"), await world.remember()
    same = MemoryChange(
        memory_id=accepted.id,
        was="pending",
        state="superseded",
        superseded_by=stays.id,
        reason="says the same",
        says_the_same=True,
    )
    async with world.sessions.begin() as session:
        await MemoryStore(session).apply([same])
    found = (await admin.get(f"/admin/memories/{stays.id}")).json()
    assert found["reviewed_by"] == "admin"


async def test_a_review_stands_against_what_a_cycle_had_planned(
    admin: httpx.AsyncClient, world: World
) -> None:
    held, winner = await world.remember(state="held"), await world.remember()
    review = {"decision": "reject", "reason": "a joke"}
    await admin.post(f"/admin/memories/{held.id}/review", json=review)
    planned = MemoryChange(
        memory_id=held.id,
        was="held",
        state="superseded",
        superseded_by=winner.id,
        reason="says the same",
        says_the_same=True,
    )
    async with world.sessions.begin() as session:
        await MemoryStore(session).apply([planned])
    found = (await admin.get(f"/admin/memories/{held.id}")).json()
    assert found["state"] == "rejected"
    assert "a joke" in found["reason"]


async def test_every_memory_is_found_page_by_page_and_by_its_state(
    admin: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.storage.memories.PAGE_SIZE", 2)
    states: list[MemoryState] = ["pending", "held", "pending", "held", "held"]
    ids = [str((await world.remember(state=state)).id) for state in states]

    async def page(**asked: str) -> list[str]:
        reply = await admin.get("/admin/memories", params=asked)
        return [item["id"] for item in reply.json()["data"]]

    assert await page() == ids[:2]
    assert await page(after=ids[1]) == ids[2:4]
    assert await page(after=ids[3]) == ids[4:]
    assert await page(state="held") == [ids[1], ids[3]]
    assert await page(state="held", after=ids[3]) == [ids[4]]
    assert (await admin.get("/admin/memories", params={"state": "lost"})).status_code == 400


def test_the_newest_of_a_key_is_given_and_the_oldest_of_the_rest_first() -> None:
    older, newer = make_memory("It is in Tromso."), make_memory("It is in Bergen.")
    wifi = make_memory("The wifi is Larkspur.", relation="wifi")
    assert relevant([wifi, newer, older], ASK, 5) == [newer, wifi]
    assert relevant([wifi, newer, older], ASK, 1) == [wifi]


def test_a_lesson_without_a_name_needs_two_words_in_common() -> None:
    told = make_memory(subject="", question="What colour are the delivery vans?")
    for text, is_given in (("Is the van's colour red?", False), ("Delivery vans: which?", True)):
        assert bool(relevant([told], text, 5)) is is_given


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Be brief.", "Be brief.\n\nKeep in mind:\n- It is in Tromso."),
        ("", "Keep in mind:\n- It is in Tromso."),
        (
            [{"type": "text", "text": "Be brief."}],
            [
                {"type": "text", "text": "Be brief."},
                {"type": "text", "text": "Keep in mind:\n- It is in Tromso."},
            ],
        ),
    ],
)
def test_a_clients_own_system_message_stays_and_comes_first(content: Any, expected: Any) -> None:
    messages = [{"role": "system", "content": content}, {"role": "user", "content": ASK}]
    assert reminded(messages, [make_memory()]) == [
        {"role": "system", "content": expected},
        {"role": "user", "content": ASK},
    ]
    assert messages[0]["content"] == content


def test_two_that_a_person_edited_are_both_given_before_a_night_reads_their_keys() -> None:
    both = [
        make_memory("It is teal.", subject="", relation="", question="Which colour has the van?"),
        make_memory("It is red.", subject="", relation="", question="Which colour has the logo?"),
    ]
    assert relevant(both, "Which colour do they have?", 5) == both[::-1]


async def test_a_person_decides_about_a_held_memory(
    admin: httpx.AsyncClient, stranger: httpx.AsyncClient, world: World
) -> None:
    held, other = await world.remember(state="held"), await world.remember(state="held")
    review = {"decision": "accept", "reason": "the lease says so"}
    path = f"/admin/memories/{held.id}/review"
    assert (await stranger.post(path, json=review)).status_code == 404
    accepted = (await admin.post(path, json=review)).json()
    assert (accepted["state"], accepted["reviewed_by"]) == ("pending", "admin")
    assert "the lease says so" in accepted["reason"]
    assert (await admin.post(path, json=review)).status_code == 200
    async with world.sessions.begin() as session:
        await MemoryStore(session).set_state([held.id], "learned")
    again = await admin.post(path, json=review)
    assert again.status_code == 409
    assert again.json()["error"]["code"] == "memory_not_held"
    refused = await admin.post(
        f"/admin/memories/{other.id}/review", json={"decision": "reject", "reason": "a joke"}
    )
    assert refused.json()["state"] == "rejected"
    for body in ({"decision": "accept"}, {"decision": "accept", "reason": "a\0b"}):
        assert (await admin.post(path, json=body)).status_code == 400
