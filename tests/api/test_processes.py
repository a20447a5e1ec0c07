"""Several processes behind one port are one API."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
from sqlalchemy import func, select

from shared.db.session import Sessions
from shared.db.tables import TraceRow
from shared.settings import Settings
from tests.conftest import API_KEY
from tests.fakes.adapters import WITH_ADAPTER, WITH_BASE, add_adapter, promote
from tests.fakes.engine import BASE, FakeEngine

CHAT = {"model": "default", "messages": [{"role": "user", "content": "hello"}]}
HEADERS = {"Authorization": f"Bearer {API_KEY}"}
NUM_WORKERS = 2


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[tuple[str, psutil.Process]]:
    """Address and first process of `python -m api`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    changed = {
        "DORMOUSE_DATABASE_URL": settings.database_url.get_secret_value(),
        "DORMOUSE_REDIS_URL": settings.redis_url.get_secret_value(),
        "DORMOUSE_ENGINE_URL": settings.engine_url,
        "DORMOUSE_API_KEY": API_KEY,
        "DORMOUSE_ADAPTERS_DIR": str(settings.adapters_dir),
        "DORMOUSE_SPOOL_DIR": str(settings.spool_dir),
        "DORMOUSE_API_WORKERS": str(NUM_WORKERS),
    }
    argv = [sys.executable, "-m", "api", "--port", str(port), "--drain-s", "5"]
    process = await asyncio.create_subprocess_exec(*argv, env={**os.environ, **changed})
    try:
        yield f"http://127.0.0.1:{port}", psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 20) in (0, -signal.SIGTERM)


def workers_of(first: psutil.Process) -> list[psutil.Process]:
    """Those that listen, without Python's own helper process."""
    return [p for p in first.children() if "spawn_main" in " ".join(p.cmdline())]


async def until_all_answer(url: str, first: psutil.Process) -> None:
    async with asyncio.timeout(180), httpx.AsyncClient() as client:
        while len(workers_of(first)) < NUM_WORKERS:
            await asyncio.sleep(0.1)
        num_ready = 0
        # New connections, which go to either.
        while num_ready < 20:
            try:
                reply = await client.get(f"{url}/readyz", headers={"Connection": "close"})
                num_ready = num_ready + 1 if reply.status_code == 200 else 0
            except httpx.TransportError:
                num_ready = 0
            await asyncio.sleep(0.05)


async def ask(url: str) -> httpx.Response:
    async with httpx.AsyncClient(headers=HEADERS) as client:
        return await client.post(f"{url}/v1/chat/completions", json=CHAT)


async def num_counted(url: str) -> float:
    async with httpx.AsyncClient() as client:
        lines = (await client.get(f"{url}/metrics")).text.splitlines()
    return sum(float(li.split()[-1]) for li in lines if li.startswith("dormouse_chats_total{"))


async def test_processes_count_together_flip_together_and_survive_each_other(
    settings: Settings, sessions: Sessions, engine: FakeEngine, tmp_path: Path
) -> None:
    engine.logprob = lambda model: WITH_BASE if model == BASE else WITH_ADAPTER
    async with serving(settings) as (url, first):
        await until_all_answer(url, first)
        replies = await asyncio.gather(*(ask(url) for _ in range(20)))
        assert {reply.headers["X-Dormouse-Adapter"] for reply in replies} == {"base"}
        # Whoever is asked knows of all.
        assert {await num_counted(url) for _ in range(6)} == {20}

        await promote(sessions, await add_adapter(sessions, settings, tmp_path))
        await asyncio.sleep(1)
        replies = await asyncio.gather(*(ask(url) for _ in range(20)))
        assert {reply.headers["X-Dormouse-Adapter"] for reply in replies} == {"1"}

        [victim, _] = workers_of(first)
        victim.kill()
        victim.wait(10)
        await until_all_answer(url, first)
        replies = await asyncio.gather(*(ask(url) for _ in range(20)))
        assert {reply.status_code for reply in replies} == {200}
        assert await num_counted(url) == 60
    async with sessions.begin() as session:
        assert await session.scalar(select(func.count()).select_from(TraceRow)) == 60
