"""A chat that waits for its turn while the pointer moves."""

import asyncio
from pathlib import Path

import httpx
import pytest

from shared.db.session import Sessions
from shared.settings import Settings
from tests.fakes.adapters import WITH_ADAPTER, WITH_BASE, add_adapter, promote
from tests.fakes.engine import BASE, FakeEngine

CHAT = {"model": "default", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_running_chats_per_key": 1})


async def test_it_has_not_begun_so_the_new_version_answers(
    client: httpx.AsyncClient,
    sessions: Sessions,
    settings: Settings,
    engine: FakeEngine,
    tmp_path: Path,
) -> None:
    engine.logprob = lambda model: WITH_BASE if model == BASE else WITH_ADAPTER
    engine.chunk_delay_s = 1.0
    running = asyncio.create_task(client.post("/v1/chat/completions", json=CHAT))
    await asyncio.sleep(0.2)
    waiting = asyncio.create_task(client.post("/v1/chat/completions", json=CHAT))
    await asyncio.sleep(0.2)
    adapter = await add_adapter(sessions, settings, tmp_path)
    await promote(sessions, adapter)
    assert (await running).headers["X-Dormouse-Adapter"] == "base"
    reply = await waiting
    assert reply.headers["X-Dormouse-Adapter"] == "1"
    assert reply.json()["choices"][0]["message"]["content"].startswith(adapter.engine_name)
