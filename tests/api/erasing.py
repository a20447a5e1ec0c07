"""Conversations, what was learned from them, and the erasing of them, for tests."""

from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text

from shared.contracts.base import new_id
from shared.contracts.memories import (
    Evidence,
    Memory,
    SeedExample,
    TraceDecision,
)
from shared.db.session import Sessions
from shared.db.tables import (
    Row,
    StageResultRow,
)
from shared.storage.examples import ExampleStore
from shared.storage.traces import TraceStore
from tests.api.conftest import World

SECRET = "Brambleby"
ADA, BOB = "Ada Marchbanks", "bob/42"
SAYS = f"Please remember that Ada lives in {SECRET}."


async def say(
    client: httpx.AsyncClient,
    *turns: str,
    session: str = "ada",
    name: str | None = None,
    model: str = "default",
) -> UUID:
    """A conversation's last turn, by somebody; every other turn is the assistant's."""
    messages = [
        {"role": "assistant" if number % 2 else "user", "content": turn}
        for number, turn in enumerate(turns)
    ]
    reply = await client.post(
        "/v1/chat/completions",
        json={"model": model, "messages": messages},
        headers={"X-Dormouse-Session": session} | ({"X-Dormouse-User": name} if name else {}),
    )
    assert reply.status_code == 200, reply.text
    return UUID(reply.headers["X-Dormouse-Trace"])


async def replied(admin: httpx.AsyncClient, trace_id: UUID) -> str:
    record = (await admin.get(f"/admin/traces/{trace_id}")).json()
    content: str = record["trace"]["reply"]["choices"][0]["message"]["content"]
    return content


async def erase(admin: httpx.AsyncClient, item_id: UUID, kind: str = "traces") -> dict[str, Any]:
    reply = await admin.delete(f"/admin/{kind}/{item_id}", params={"reason": "request 17"})
    assert reply.status_code == 200, reply.text
    body: dict[str, Any] = reply.json()
    return body


async def learned_from(
    world: World, *trace_ids: UUID, quote: str = SAYS, by: str | None = None, **fields: Any
) -> Memory:
    """A memory that rests on traces, with its examples, as a night leaves it."""
    evidence = [Evidence(trace_id=each, quote=quote, author=by) for each in trace_ids]
    memory = await world.remember(
        answer=f"Ada lives in {SECRET}.",
        subject="Ada",
        reason=f"a person told it: {SECRET}",
        evidence=evidence,
        **fields,
    )
    messages = [
        {"role": "user", "content": f"Is it in {SECRET} that Ada lives?"},
        {"role": "assistant", "content": SECRET},
    ]
    decisions = [
        TraceDecision(trace_id=each, persistence="long_term", reason=f"told: {SECRET}")
        for each in trace_ids
    ]
    async with world.sessions.begin() as session:
        seeds = [
            SeedExample(
                id=new_id(),
                memory_id=memory.id,
                split=split,
                form="question",
                messages=messages,
                accept=[SECRET],
            )
            for split in ("train", "heldout")
        ]
        await ExampleStore(session).replace_seeds(memory.cycle_id, seeds)
        await TraceStore(session).add_decisions(memory.cycle_id, decisions)
        changes = {"changes": [{"reason": f"{SECRET!r} is new"}]}
        session.add(
            StageResultRow(cycle_id=memory.cycle_id, stage="resolve", result=changes, seconds=0.1)
        )
    return memory


async def tables_with(sessions: Sessions, words: str) -> list[str]:
    """The tables in any column of which some words stand."""
    found = []
    async with sessions.begin() as session:
        for table in Row.metadata.sorted_tables:
            statement = f'SELECT count(*) FROM "{table.name}" t WHERE t::text ILIKE :words'
            if await session.scalar(text(statement), {"words": f"%{words}%"}):
                found.append(table.name)
    return found


async def forget(admin: httpx.AsyncClient, name: str = ADA, reason: str = "") -> dict[str, Any]:
    params = {"reason": reason} if reason else {}
    reply = await admin.delete(f"/admin/authors/{name}", params=params)
    assert reply.status_code == 200, reply.text
    body: dict[str, Any] = reply.json()
    return body


async def comment(
    client: httpx.AsyncClient, name: str, trace_id: UUID, words: str = f"It is {SECRET}."
) -> UUID:
    feedback = {"trace_id": str(trace_id), "correction": words, "user": name}
    reply = await client.post("/v1/feedback", json=feedback)
    assert reply.status_code == 201, reply.text
    return UUID(reply.json()["id"])


async def state(admin: httpx.AsyncClient, trace_id: UUID) -> str:
    found: str = (await admin.get(f"/admin/traces/{trace_id}")).json()["state"]
    return found
