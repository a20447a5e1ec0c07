"""An operator compares versions; nobody else chooses who answers."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from shared.db.session import Sessions
from shared.db.tables import TraceRow
from shared.settings import Settings
from tests.fakes.adapters import REJECTED, WITH_ADAPTER, WITH_BASE, add_adapter, promote
from tests.fakes.engine import BASE, FakeEngine

CHAT: dict[str, Any] = {"model": "default", "messages": [{"role": "user", "content": "hello"}]}
PATH = "/v1/chat/completions"


@pytest.fixture
def acting(engine: FakeEngine) -> FakeEngine:
    engine.logprob = lambda model: WITH_BASE if model == BASE else WITH_ADAPTER
    return engine


async def test_an_older_version_answers_an_operator_and_the_active_one_everybody_else(
    client: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    sessions: Sessions,
    settings: Settings,
    acting: FakeEngine,
    tmp_path: Path,
) -> None:
    older = await add_adapter(sessions, settings, tmp_path)
    newer = await add_adapter(sessions, settings, tmp_path)
    await promote(sessions, older)
    await promote(sessions, newer)
    for wanted, engine_name in (("1", older.engine_name), ("base", BASE)):
        reply = await admin.post(PATH, json=CHAT, headers={"X-Dormouse-Adapter": wanted})
        assert reply.status_code == 200
        assert reply.headers["X-Dormouse-Adapter"] == wanted
        assert acting.bodies[-1]["model"] == engine_name
    reply = await client.post(PATH, json=CHAT)
    assert reply.headers["X-Dormouse-Adapter"] == "2"
    async with sessions.begin() as session:
        states = list(await session.scalars(select(TraceRow.state).order_by(TraceRow.id)))
    assert states == ["excluded", "excluded", "queued"]


async def test_a_version_that_failed_its_gate_answers_nobody(
    admin: httpx.AsyncClient,
    sessions: Sessions,
    settings: Settings,
    acting: FakeEngine,
    tmp_path: Path,
) -> None:
    await add_adapter(sessions, settings, tmp_path, REJECTED)
    reply = await admin.post(PATH, json=CHAT, headers={"X-Dormouse-Adapter": "1"})
    assert reply.status_code == 403
    assert acting.bodies == []


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ("7", 404),
        ("0", 400),
        ("newest", 400),
        ("1" * 400, 400),
        ("0" * 10 + "1" + "9" * 9, 400),
        ("²", 400),
    ],
)
async def test_a_version_that_cannot_be_is_the_operators_fault(
    admin: httpx.AsyncClient, wanted: str, status: int
) -> None:
    headers = {b"X-Dormouse-Adapter": wanted.encode("latin-1")}
    assert (await admin.post(PATH, json=CHAT, headers=headers)).status_code == status


async def test_a_chat_key_chooses_nothing(client: httpx.AsyncClient) -> None:
    reply = await client.post(PATH, json=CHAT, headers={"X-Dormouse-Adapter": "base"})
    assert reply.status_code == 403
