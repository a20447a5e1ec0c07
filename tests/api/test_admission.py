"""Chats at once: shares of keys, turns, lines that are full, and those who leave them."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from api.chat.admission import Admission
from shared.errors import TooManyChatsError
from shared.settings import Settings
from tests.fakes.engine import FakeEngine

CHAT = {"model": "default", "messages": [{"role": "user", "content": "Hi"}]}


def admission(running: int, per_key: int, waiting: int = 100, wait_s: float = 5.0) -> Admission:
    return Admission(
        Settings(
            max_running_chats=running,
            max_running_chats_per_key=per_key,
            max_waiting_chats_per_key=waiting,
            chat_wait_s=wait_s,
        )
    )


@asynccontextmanager
async def slot(gate: Admission, key: str) -> AsyncIterator[None]:
    await gate.enter(key)
    try:
        yield
    finally:
        gate.leave(key)


async def test_neither_all_nor_a_key_exceeds_its_limit_whoever_gives_up_when() -> None:
    gate = admission(running=5, per_key=3)
    running: Counter[str] = Counter()
    done: Counter[str] = Counter()
    rng = random.Random(1)

    async def chat(key: str) -> None:
        async with slot(gate, key):
            running[key] += 1
            try:
                assert running[key] <= 3
                assert running.total() <= 5
                await asyncio.sleep(rng.random() / 200)
            finally:
                running[key] -= 1
        done[key] += 1

    tasks = [asyncio.create_task(chat(rng.choice("abc"))) for _ in range(200)]
    for task in rng.sample(tasks, 60):
        await asyncio.sleep(rng.random() / 500)
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert not [each for each in ended if isinstance(each, AssertionError)]
    assert done.total() == ended.count(None) >= 140
    # Nothing is left behind: all slots are free again.
    async with asyncio.timeout(1):
        for key in "aaabb":
            await gate.enter(key)


async def test_a_long_line_does_not_keep_another_key_waiting() -> None:
    gate = admission(running=1, per_key=1)
    order: list[str] = []

    async def chat(key: str) -> None:
        async with slot(gate, key):
            order.append(key)
            await asyncio.sleep(0)

    async with slot(gate, "busy"):
        tasks = [asyncio.create_task(chat(key)) for key in [*["busy"] * 10, "quiet"]]
        await asyncio.sleep(0.01)
    await asyncio.gather(*tasks)
    assert order.index("quiet") <= 1
    assert len(order) == 11


async def test_a_full_line_and_a_long_wait_are_refused() -> None:
    gate = admission(running=1, per_key=1, waiting=1, wait_s=0.05)
    async with slot(gate, "a"):
        waiting = asyncio.create_task(gate.enter("a"))
        await asyncio.sleep(0)
        with pytest.raises(TooManyChatsError, match="1 chats running and 1 waiting"):
            await gate.enter("a")
        with pytest.raises(TooManyChatsError, match=r"within 0\.05 s"):
            await waiting
    async with slot(gate, "a"):
        pass


@pytest.fixture
def settings(settings: Settings) -> Settings:
    limits = {
        "max_running_chats_per_key": 1,
        "max_waiting_chats_per_key": 0,
        "max_completion_tokens": 20,
    }
    return settings.model_copy(update=limits)


async def test_a_client_with_too_many_chats_is_told_to_come_back(
    client: httpx.AsyncClient, admin: httpx.AsyncClient, engine: FakeEngine
) -> None:
    engine.chunk_delay_s = 0.3
    first = asyncio.create_task(client.post("/v1/chat/completions", json=CHAT))
    await asyncio.sleep(0.15)
    second = await client.post("/v1/chat/completions", json=CHAT)
    assert (second.status_code, second.headers["Retry-After"]) == (429, "1")
    error = second.json()["error"]
    assert (error["type"], error["code"]) == ("rate_limit_error", "rate_limit_exceeded")
    # Another key has a share of its own, and the slot is free again afterwards.
    assert (await admin.post("/v1/chat/completions", json=CHAT)).status_code == 200
    assert (await first).status_code == 200
    assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 200


async def test_a_stream_holds_its_slot_to_its_end(
    client: httpx.AsyncClient, engine: FakeEngine
) -> None:
    engine.chunk_delay_s = 0.1
    async with client.stream("POST", "/v1/chat/completions", json={**CHAT, "stream": True}) as one:
        second = await client.post("/v1/chat/completions", json=CHAT)
        assert second.status_code == 429
        async for _ in one.aiter_bytes():
            pass
    assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 200


async def test_the_length_of_a_reply_is_limited(
    client: httpx.AsyncClient, engine: FakeEngine
) -> None:
    for name in ("max_tokens", "max_completion_tokens"):
        refused = await client.post("/v1/chat/completions", json={**CHAT, name: 21})
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, name)
        await client.post("/v1/chat/completions", json={**CHAT, name: 7})
        assert engine.bodies[-1][name] == 7
    await client.post("/v1/chat/completions", json=CHAT)
    assert engine.bodies[-1]["max_tokens"] == 20
