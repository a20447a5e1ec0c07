"""Who speaks: kept with what is said, as a hash; sessions belong to their author."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from shared.db.session import Sessions
from shared.db.tables import SignalRow, TraceRow
from tests.api.conftest import World
from tests.fakes.engine import FakeEngine

ASKED = [{"role": "user", "content": "Where is the head office of Quillfeather?"}]
NAME = "jörg.mallory@example.com"


@pytest.fixture
async def shop(api: str, admin: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """An application for many people."""
    made = await admin.post("/admin/keys", json={"name": "shop", "role": "chat"})
    headers = {"Authorization": f"Bearer {made.json()['key']}"}
    async with httpx.AsyncClient(base_url=api, headers=headers, timeout=20) as client:
        yield client


async def rows(sessions: Sessions) -> list[TraceRow]:
    async with sessions.begin() as session:
        return list(await session.scalars(select(TraceRow).order_by(TraceRow.id)))


async def chat(
    client: httpx.AsyncClient, messages: list[Any] = ASKED, **options: Any
) -> httpx.Response:
    headers = options.pop("headers", {})
    body = {"model": "default", "messages": messages, **options}
    reply = await client.post("/v1/chat/completions", json=body, headers=headers)
    assert reply.status_code == 200, reply.text
    return reply


async def test_one_name_is_one_author_by_whatever_field_it_comes(
    shop: httpx.AsyncClient, sessions: Sessions
) -> None:
    await chat(shop, user=NAME)
    await chat(shop, safety_identifier=NAME, user="another")
    await chat(shop, headers={"X-Dormouse-User": NAME.encode()}, user="another")
    message = {"model": "default", "max_tokens": 5, "messages": ASKED}
    answered = await shop.post("/v1/messages", json={**message, "metadata": {"user_id": NAME}})
    assert answered.status_code == 200
    asked = {"model": "default", "input": "Where?", "user": NAME}
    assert (await shop.post("/v1/responses", json=asked)).status_code == 200
    found = await rows(sessions)
    assert len(found) == 5
    [author] = {row.author for row in found}
    assert author is not None
    assert author.startswith("u:")
    assert not any(row.by_teacher for row in found)
    assert all(NAME not in str(row.request) and "another" not in str(row.request) for row in found)


async def test_without_a_name_the_key_is_the_author(
    shop: httpx.AsyncClient, client: httpx.AsyncClient, sessions: Sessions
) -> None:
    await chat(shop)
    await chat(shop, user="  ")
    await chat(client)
    first, second, other = await rows(sessions)
    assert first.author == second.author != other.author
    assert {row.author[:2] for row in (first, other) if row.author} == {"k:"}
    assert (first.by_teacher, other.by_teacher) == (False, True)


async def test_another_tenants_author_of_the_same_name_is_another(
    shop: httpx.AsyncClient, stranger: httpx.AsyncClient, sessions: Sessions
) -> None:
    await chat(shop, user=NAME)
    await chat(stranger, user=NAME)
    first, second = await rows(sessions)
    assert first.author != second.author


async def test_feedback_has_an_author_of_its_own(
    shop: httpx.AsyncClient, sessions: Sessions
) -> None:
    trace = (await chat(shop, user="ada")).headers["X-Dormouse-Trace"]
    said = {"trace_id": trace, "correction": "It is in Tromso."}
    for body, headers in (
        ({**said, "user": "ada"}, {}),
        (said, {"X-Dormouse-User": "ada"}),
        ({**said, "user": "bob"}, {}),
        (said, {}),
    ):
        assert (await shop.post("/v1/feedback", json=body, headers=headers)).status_code == 201
    [ada] = {row.author for row in await rows(sessions)}
    async with sessions.begin() as session:
        authors = list(await session.scalars(select(SignalRow.author).order_by(SignalRow.id)))
    assert authors[:2] == [ada, ada]
    assert len({*authors}) == 3
    assert str(authors[3]).startswith("k:")


@pytest.mark.parametrize("options", [{"user": 7}, {"user": "x" * 257}, {"safety_identifier": []}])
async def test_a_name_that_is_none_is_refused(
    shop: httpx.AsyncClient, options: dict[str, Any]
) -> None:
    body = {"model": "default", "messages": ASKED, **options}
    reply = await shop.post("/v1/chat/completions", json=body)
    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == next(iter(options))


async def test_nobody_joins_anothers_session_by_its_name(
    shop: httpx.AsyncClient, sessions: Sessions
) -> None:
    mine = {"X-Dormouse-Session": "desk"}
    await chat(shop, user="ada", headers=mine)
    await chat(shop, user="bob", headers=mine)
    await chat(shop, user="ada", headers=mine)
    first, others, again = await rows(sessions)
    assert others.parent_id is None
    assert again.parent_id == first.id


async def test_nobody_joins_anothers_session_by_repeating_it(
    shop: httpx.AsyncClient, sessions: Sessions
) -> None:
    reply = await chat(shop, user="ada")
    said = [*ASKED, reply.json()["choices"][0]["message"], {"role": "user", "content": "And now?"}]
    forged = await chat(shop, said, user="bob")
    gone_on = await chat(shop, said, user="ada")
    first, others, mine = await rows(sessions)
    assert (others.parent_id, mine.parent_id) == (None, first.id)
    assert forged.headers["X-Dormouse-Session"] != reply.headers["X-Dormouse-Session"]
    assert gone_on.headers["X-Dormouse-Session"] == reply.headers["X-Dormouse-Session"]


async def test_nobody_goes_on_from_anothers_response(shop: httpx.AsyncClient) -> None:
    asked = {"model": "default", "input": "Where?", "user": "ada"}
    first = (await shop.post("/v1/responses", json=asked)).json()["id"]
    later = {**asked, "input": "And now?", "previous_response_id": first}
    assert (await shop.post("/v1/responses", json={**later, "user": "bob"})).status_code == 404
    assert (await shop.post("/v1/responses", json=later)).status_code == 200


async def test_what_holds_for_a_session_reaches_its_author_alone(
    shop: httpx.AsyncClient, world: World, engine: FakeEngine, sessions: Sessions
) -> None:
    await chat(shop, user="ada")
    [ada] = {row.author for row in await rows(sessions)}
    await world.remember(
        persistence="session",
        session_id="desk",
        author=ada,
        authority=None,
        subject="",
        answer="Call me Captain.",
        expires_at=datetime.now(UTC) + timedelta(minutes=1),
    )
    for user, num in (("bob", 1), ("ada", 2)):
        await chat(shop, user=user, headers={"X-Dormouse-Session": "desk"})
        assert len(engine.bodies[-1]["messages"]) == num


@pytest.mark.parametrize(
    ("fields", "is_given"),
    [
        ({"authority": "quorum"}, True),
        ({"authority": "reviewer"}, True),
        ({"authority": None}, False),
        ({"authority": "quorum", "state": "held", "held_for": "screen"}, False),
    ],
)
async def test_others_are_given_only_what_somebody_stands_for(
    shop: httpx.AsyncClient, world: World, fields: dict[str, Any], is_given: bool
) -> None:
    added = await world.remember(**fields)
    reply = await chat(shop, user="bob")
    given = reply.headers.get("X-Dormouse-Memories")
    assert given == (str(added.id) if is_given else None)
