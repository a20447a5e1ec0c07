"""Completions, responses and messages over HTTP: recorded like chats, and as private."""

from typing import Any

import httpx
from sqlalchemy import select

from shared.db.session import Sessions
from shared.db.tables import TraceRow
from tests.conftest import API_KEY
from tests.fakes.engine import FakeEngine

QUESTION = "What is the capital of France?"
MESSAGE: dict[str, Any] = {
    "model": "default",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": QUESTION}],
}


async def traces(sessions: Sessions) -> list[TraceRow]:
    async with sessions.begin() as session:
        return list(await session.scalars(select(TraceRow).order_by(TraceRow.id)))


async def test_a_continued_text_is_recorded_and_never_learned_from(
    client: httpx.AsyncClient, admin: httpx.AsyncClient, sessions: Sessions
) -> None:
    body = {"model": "default", "prompt": "One, two", "max_tokens": 4}
    reply = await client.post("/v1/completions", json=body)
    assert reply.status_code == 200
    assert reply.json()["model"] == "default"
    assert set(reply.json()["choices"][0]) == {"index", "text", "finish_reason"}
    [row] = await traces(sessions)
    assert str(row.id) == reply.headers["X-Dormouse-Trace"]
    assert row.state == "excluded"
    assert row.request == {"prompt": "One, two", "max_tokens": 4, "api": "v1/completions"}
    assert row.prompt_token_ids == [7, 8]
    assert row.token_ids == [[5, 6]]
    assert row.reply is not None
    assert row.reply["choices"][0]["message"]["content"] == " and three"
    exported = await admin.get("/admin/traces", params={"model": "default"})
    assert exported.text == ""


async def test_a_message_of_anthropics_with_its_own_key_header(
    api: str, sessions: Sessions
) -> None:
    async with httpx.AsyncClient(base_url=api, headers={"x-api-key": API_KEY}) as client:
        reply = await client.post("/v1/messages", json=MESSAGE)
    assert reply.status_code == 200
    assert reply.json()["model"] == "default"
    [row] = await traces(sessions)
    assert row.state == "queued"
    assert row.request["api"] == "v1/messages"
    assert row.request["messages"] == MESSAGE["messages"]
    assert row.usage == {"prompt_tokens": 2, "completion_tokens": 1, "total_tokens": 3}
    assert row.reply is not None
    assert row.reply["choices"][0]["message"]["content"] == "Paris."


async def test_an_error_has_both_envelopes_and_no_inner_name(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    reply = await client.post("/v1/messages", json={**MESSAGE, "temperature": -1})
    assert reply.status_code == 400
    assert reply.json()["type"] == "error"
    assert reply.json()["error"]["message"] == "default: temperature"
    missing = await client.post("/v1/messages", json={**MESSAGE, "model": "other"})
    assert (missing.status_code, missing.json()["type"]) == (404, "error")
    chat = await client.post("/v1/chat/completions", json={**MESSAGE, "model": "other"})
    assert "type" not in chat.json()
    [row] = await traces(sessions)
    assert row.status == "failed"


async def test_a_response_goes_on_from_one_of_the_same_tenant_only(
    client: httpx.AsyncClient,
    stranger: httpx.AsyncClient,
    sessions: Sessions,
    engine: FakeEngine,
) -> None:
    first = await client.post("/v1/responses", json={"model": "default", "input": QUESTION})
    assert first.status_code == 200
    assert first.json()["id"] == "resp_" + first.headers["X-Dormouse-Trace"].replace("-", "")
    body = {"model": "default", "input": "Sure?", "previous_response_id": first.json()["id"]}
    # Instructions hold for one response: the conversation is the named one all the same.
    body["instructions"] = "Be brief."
    second = await client.post("/v1/responses", json=body)
    assert second.json()["previous_response_id"] == first.json()["id"]
    assert second.headers["X-Dormouse-Session"] == first.headers["X-Dormouse-Session"]
    assert [item["content"] for item in engine.bodies[-1]["input"]] == [
        QUESTION,
        "Paris.",
        "Sure?",
    ]
    before, after = await traces(sessions)
    assert after.parent_id == before.id
    named = await client.post("/v1/responses", json=body, headers={"X-Dormouse-Session": "mine"})
    assert named.headers["X-Dormouse-Session"] == "mine"
    assert (await traces(sessions))[-1].parent_id == before.id
    foreign = await stranger.post("/v1/responses", json=body)
    assert foreign.status_code == 404
    assert foreign.json()["error"]["code"] == "previous_response_not_found"


async def test_what_was_not_stored_cannot_be_gone_on_from(client: httpx.AsyncClient) -> None:
    body = {"model": "default", "input": QUESTION, "store": False}
    first = await client.post("/v1/responses", json=body)
    body = {"model": "default", "input": "Sure?", "previous_response_id": first.json()["id"]}
    assert (await client.post("/v1/responses", json=body)).status_code == 404


async def test_one_model_by_its_public_name(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/models/default")).json()["id"] == "default"
    assert (await client.get("/v1/models/SmolLM2-135M-Instruct")).status_code == 404
