"""Several engines behind one API: who gets a chat, and what happens when one fails."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api.engines import MAX_FAILURES, OPEN_S, Breaker
from shared.db.session import Sessions
from shared.settings import Settings
from tests.fakes.adapters import WITH_ADAPTER, WITH_BASE, add_adapter, promote
from tests.fakes.engine import BASE, FakeEngine

CHAT = {"model": "default", "messages": [{"role": "user", "content": "hello there you"}]}


@pytest.fixture
async def second() -> AsyncIterator[FakeEngine]:
    fake = FakeEngine()
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
def settings(settings: Settings, engine: FakeEngine, second: FakeEngine) -> Settings:
    for each in (engine, second):
        each.logprob = lambda model: WITH_BASE if model == BASE else WITH_ADAPTER
    return settings.model_copy(update={"engine_url": f"{engine.url}, {second.url}"})


async def ask(client: httpx.AsyncClient, num: int = 8) -> list[httpx.Response]:
    asked = (client.post("/v1/chat/completions", json=CHAT) for _ in range(num))
    return list(await asyncio.gather(*asked))


async def until_ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(10):
        while (await client.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.02)


async def test_chats_are_spread_over_the_engines(
    client: httpx.AsyncClient, engine: FakeEngine, second: FakeEngine
) -> None:
    engine.chunk_delay_s = second.chunk_delay_s = 0.2
    assert {reply.status_code for reply in await ask(client)} == {200}
    assert (len(engine.bodies), len(second.bodies)) == (4, 4)


async def test_an_engine_that_is_away_costs_no_chat_and_comes_back(
    client: httpx.AsyncClient, engine: FakeEngine, second: FakeEngine
) -> None:
    await until_ready(client)
    await engine.stop()
    for _ in range(5):
        assert {reply.status_code for reply in await ask(client)} == {200}
    assert (await client.get("/readyz")).status_code == 200
    await second.stop()
    [reply] = await ask(client, 1)
    assert reply.status_code == 503
    assert reply.json()["error"]["code"] == "engine_unavailable"
    await engine.restart()
    async with asyncio.timeout(OPEN_S + 5):
        while {reply.status_code for reply in await ask(client, 1)} != {200}:
            await asyncio.sleep(0.05)


async def test_an_engine_that_lost_its_adapter_gets_no_chat_before_it_has_it_again(
    client: httpx.AsyncClient,
    engine: FakeEngine,
    second: FakeEngine,
    sessions: Sessions,
    settings: Settings,
    tmp_path: Path,
) -> None:
    await promote(sessions, await add_adapter(sessions, settings, tmp_path))
    await until_ready(client)
    engine.chunk_delay_s = second.chunk_delay_s = 0.02
    for _ in range(10):
        await second.restart()
        for reply in await ask(client):
            assert reply.headers["X-Dormouse-Adapter"] == "1"
            assert not reply.json()["choices"][0]["message"]["content"].startswith(BASE)


async def test_rollback_needs_only_the_engines_that_answer(
    client: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    second: FakeEngine,
    sessions: Sessions,
    settings: Settings,
    tmp_path: Path,
) -> None:
    await promote(sessions, await add_adapter(sessions, settings, tmp_path / "1"))
    await promote(sessions, await add_adapter(sessions, settings, tmp_path / "2"))
    await second.stop()
    assert (await admin.post("/admin/rollback", json={})).json()["active"] == 1
    assert {reply.headers["X-Dormouse-Adapter"] for reply in await ask(client)} == {"1"}


async def test_what_broke_off_after_its_first_byte_is_not_tried_again(
    client: httpx.AsyncClient, engine: FakeEngine, second: FakeEngine
) -> None:
    engine.breaks_after = second.breaks_after = 1
    reply = await client.post("/v1/chat/completions", json={**CHAT, "stream": True})
    assert "engine_unavailable" in reply.text
    assert "[DONE]" not in reply.text
    assert len(engine.bodies) + len(second.bodies) == 1


def test_a_breaker_opens_after_failures_in_a_row_and_tries_again_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr("api.engines.time.monotonic", lambda: now[0])
    breaker = Breaker()
    seen = []
    for event in (*["failed", "failed", "worked"], *["failed"] * MAX_FAILURES, "later", "failed"):
        if event == "later":
            now[0] += OPEN_S
        else:
            getattr(breaker, event)()
        seen.append(breaker.is_open)
    assert seen == [False, False, False, False, False, True, False, True]
