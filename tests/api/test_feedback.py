"""Feedback: recorded once, refused clearly."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select

from shared.db.session import Sessions
from shared.db.tables import SignalRow

CHAT = {"model": "default", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture
async def trace_id(client: httpx.AsyncClient) -> str:
    reply = await client.post("/v1/chat/completions", json=CHAT)
    return reply.headers["X-Dormouse-Trace"]


async def count(sessions: Sessions) -> int:
    async with sessions.begin() as session:
        return await session.scalar(select(func.count()).select_from(SignalRow)) or 0


async def test_feedback_becomes_a_signal(
    client: httpx.AsyncClient, trace_id: str, sessions: Sessions
) -> None:
    body = {"trace_id": trace_id, "rating": -0.5, "correction": "It is teal."}
    reply = await client.post("/v1/feedback", json=body)
    assert reply.status_code == 201
    assert reply.json()["correction"] == "It is teal."
    assert await count(sessions) == 1


async def test_the_same_idempotency_key_counts_once_and_other_content_is_a_conflict(
    client: httpx.AsyncClient, trace_id: str, sessions: Sessions
) -> None:
    body = {"trace_id": trace_id, "rating": 1.0}
    headers = {"Idempotency-Key": "k1"}
    first = await client.post("/v1/feedback", json=body, headers=headers)
    again = await client.post("/v1/feedback", json=body, headers=headers)
    assert again.status_code == 201
    assert again.json() == first.json()
    other = await client.post("/v1/feedback", json={**body, "rating": -1.0}, headers=headers)
    assert other.status_code == 409
    assert other.json()["error"]["code"] == "idempotency_key_reused"
    assert await count(sessions) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"rating": 1}, 400),
        ({"trace_id": "nonsense", "rating": 1}, 400),
        ({"trace_id": str(uuid4()), "rating": 1}, 404),
        ({"rating": 2}, 400),
        ({"rating": 1, "surprise": True}, 400),
        ({}, 400),
    ],
)
async def test_bad_feedback_gets_a_clear_error(
    client: httpx.AsyncClient, trace_id: str, body: dict[str, Any], status: int, sessions: Sessions
) -> None:
    if status == 400 and body.get("rating") != 1:
        body = {"trace_id": trace_id, **body}
    reply = await client.post("/v1/feedback", json=body)
    assert reply.status_code == status
    assert reply.json()["error"]["message"]
    assert await count(sessions) == 0
