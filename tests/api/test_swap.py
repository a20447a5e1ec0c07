"""Promotion, rollback and restart: who answers, and who never does."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from shared.db.session import Sessions
from shared.settings import Settings
from shared.storage.adapters import AdapterStore
from tests.fakes.adapters import (
    REJECTED,
    WITH_ADAPTER,
    WITH_BASE,
    add_adapter,
    default_model,
    promote,
)
from tests.fakes.engine import BASE, FakeEngine

CHAT = {"model": "default", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture(autouse=True)
def adapters_act(engine: FakeEngine) -> None:
    engine.logprob = lambda model: WITH_BASE if model == BASE else WITH_ADAPTER


async def ask(client: httpx.AsyncClient) -> tuple[str, str]:
    """(version, who answered on the engine's side)."""
    reply = await client.post("/v1/chat/completions", json=CHAT)
    assert reply.status_code == 200, reply.text
    content: str = reply.json()["choices"][0]["message"]["content"]
    return reply.headers["X-Dormouse-Adapter"], content.split(" ")[0]


async def until_ready(client: httpx.AsyncClient, *, ready: bool = True) -> dict[str, Any]:
    async with asyncio.timeout(10):
        while True:
            reply = await client.get("/readyz")
            if (reply.status_code == 200) == ready:
                body: dict[str, Any] = reply.json()
                return body
            await asyncio.sleep(0.02)


async def until_told(client: httpx.AsyncClient, version: str) -> tuple[str, str]:
    """Who answers once the process has heard of a promotion, which takes it a second at most."""
    async with asyncio.timeout(2):
        while True:
            answered = await ask(client)
            if answered[0] == version:
                return answered
            await asyncio.sleep(0.02)


async def test_promotion_and_rollback_move_one_pointer(
    client: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    sessions: Sessions,
    settings: Settings,
    tmp_path: Path,
) -> None:
    assert await ask(client) == ("base", BASE)
    first = await add_adapter(sessions, settings, tmp_path)
    await promote(sessions, first)
    assert await until_told(client, "1") == ("1", first.engine_name)
    second = await add_adapter(sessions, settings, tmp_path)
    await promote(sessions, second)
    assert await until_told(client, "2") == ("2", second.engine_name)

    nothing_known = {"taken_back": 0, "restored": 0}
    back = await admin.post("/admin/rollback")
    assert back.json() == {"active": 1, "previous": 2, **nothing_known}
    assert await ask(client) == ("1", first.engine_name)
    back = await admin.post("/admin/rollback")
    assert back.json() == {"active": "base", "previous": 1, **nothing_known}
    assert await ask(client) == ("base", BASE)
    nothing = await admin.post("/admin/rollback")
    assert nothing.status_code == 409
    assert nothing.json()["error"]["code"] == "rollback_impossible"

    forward = await admin.post("/admin/rollback", json={"to": 2, "reason": "it was fine"})
    assert forward.json() == {"active": 2, "previous": "base", **nothing_known}
    listed = (await admin.get("/admin/adapters")).json()["data"]
    assert [item["state"] for item in listed] == ["active", "retired"]
    assert [(item["num_memories"], item["memories"]) for item in listed] == [(0, None), (0, None)]
    assert (await admin.get("/admin/adapters/2")).json()["memories"] == []


async def test_nothing_fails_while_the_pointer_moves_under_load(
    client: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    sessions: Sessions,
    settings: Settings,
    tmp_path: Path,
    engine: FakeEngine,
) -> None:
    engine.chunk_delay_s = 0.01
    adapters = [await add_adapter(sessions, settings, tmp_path) for _ in range(2)]
    names = {"base": BASE, "1": adapters[0].engine_name, "2": adapters[1].engine_name}
    stop = asyncio.Event()

    async def talk() -> set[str]:
        versions = set()
        while not stop.is_set():
            version, name = await ask(client)
            assert name == names[version]
            versions.add(version)
        return versions

    talking = [asyncio.create_task(talk()) for _ in range(8)]
    for target in [1, 2, "base", 2, 1, 2] * 3:
        assert (await admin.post("/admin/rollback", json={"to": target})).status_code == 200
        await asyncio.sleep(0.03)
    stop.set()
    assert set().union(*await asyncio.gather(*talking)) == {"base", "1", "2"}


async def test_a_running_stream_finishes_on_the_version_it_began_with(
    client: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    sessions: Sessions,
    settings: Settings,
    tmp_path: Path,
    engine: FakeEngine,
) -> None:
    adapter = await add_adapter(sessions, settings, tmp_path)
    await promote(sessions, adapter)
    engine.chunk_delay_s = 0.05
    engine.answer = lambda model, said: " ".join([model] * 8)
    async with client.stream(
        "POST", "/v1/chat/completions", json={**CHAT, "stream": True}
    ) as reply:
        lines = reply.aiter_lines()
        await anext(lines)
        await admin.post("/admin/rollback", json={"to": "base"})
        rest = [line async for line in lines if "content" in line]
    assert len(rest) == 7
    assert all(adapter.engine_name in line for line in rest)
    assert (await ask(client))[0] == "base"


async def test_an_ungated_adapter_cannot_be_rolled_to(
    admin: httpx.AsyncClient, sessions: Sessions, settings: Settings, tmp_path: Path
) -> None:
    await add_adapter(sessions, settings, tmp_path, report=None)
    await add_adapter(sessions, settings, tmp_path, report=REJECTED)
    for version in (1, 2):
        reply = await admin.post("/admin/rollback", json={"to": version})
        assert reply.status_code == 409
    assert (await admin.post("/admin/rollback", json={"to": 3})).status_code == 404


@pytest.mark.parametrize("report", [None, REJECTED])
async def test_the_database_itself_refuses_an_ungated_adapter(
    sessions: Sessions, settings: Settings, tmp_path: Path, report: Any
) -> None:
    adapter = await add_adapter(sessions, settings, tmp_path, report=report)
    with pytest.raises(IntegrityError, match="no passed gate"):
        await promote(sessions, adapter)
    with pytest.raises(IntegrityError, match="no passed gate"):
        async with sessions.begin() as session:
            await session.execute(
                text("UPDATE models SET active_adapter_id = :id"), {"id": adapter.id}
            )


async def test_an_override_must_name_who_and_why(
    sessions: Sessions, settings: Settings, tmp_path: Path
) -> None:
    adapter = await add_adapter(sessions, settings, tmp_path, report=REJECTED)
    for by, reason in (("", "why"), ("who", "")):
        async with sessions.begin() as session:
            await AdapterStore(session).set_override(adapter.id, by=by, reason=reason)
        with pytest.raises(IntegrityError, match="no passed gate"):
            await promote(sessions, adapter)
    async with sessions.begin() as session:
        await AdapterStore(session).set_override(adapter.id, by="ada", reason="incident 7")
    await promote(sessions, adapter)


async def test_a_pointer_never_leaves_its_model(
    stranger: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    sessions: Sessions,
    settings: Settings,
    tmp_path: Path,
) -> None:
    adapter = await add_adapter(sessions, settings, tmp_path)
    assert (await stranger.post("/admin/rollback", json={"to": 1})).status_code == 404
    assert (await stranger.get("/admin/adapters")).json() == {"data": []}
    mine = await default_model(sessions)
    with pytest.raises(IntegrityError, match="no passed gate"):
        async with sessions.begin() as session:
            await session.execute(
                text("UPDATE models SET active_adapter_id = :id WHERE id <> :mine"),
                {"id": adapter.id, "mine": mine},
            )


@pytest.mark.parametrize("column", ["sha256", "path", "engine_name", "version"])
async def test_an_adapters_identity_is_written_once(
    sessions: Sessions, settings: Settings, tmp_path: Path, column: str
) -> None:
    await add_adapter(sessions, settings, tmp_path)
    with pytest.raises(IntegrityError, match="written once"):
        async with sessions.begin() as session:
            await session.execute(text(f"UPDATE adapters SET {column} = {column}"))


async def test_an_engine_that_restarts_serves_only_after_its_adapter_is_back(
    client: httpx.AsyncClient,
    sessions: Sessions,
    settings: Settings,
    tmp_path: Path,
    engine: FakeEngine,
) -> None:
    adapter = await add_adapter(sessions, settings, tmp_path)
    await promote(sessions, adapter)
    await until_ready(client)
    await engine.stop()
    await until_ready(client, ready=False)
    await engine.restart()
    assert await ask(client) == ("1", adapter.engine_name)
    await until_ready(client)
    assert adapter.engine_name in engine.adapters


async def test_an_adapter_that_loads_but_does_not_act_never_answers(
    client: httpx.AsyncClient,
    sessions: Sessions,
    settings: Settings,
    tmp_path: Path,
    engine: FakeEngine,
) -> None:
    engine.logprob = lambda model: WITH_BASE
    adapter = await add_adapter(sessions, settings, tmp_path)
    await promote(sessions, adapter)
    reply = await client.post("/v1/chat/completions", json=CHAT)
    assert reply.status_code == 503
    assert reply.json()["error"]["code"] == "adapter_not_applied"
    assert engine.bodies == []
    assert "does not act" in (await until_ready(client, ready=False))["checks"]["engine"]


async def test_damaged_adapter_files_never_answer(
    client: httpx.AsyncClient, sessions: Sessions, settings: Settings, tmp_path: Path
) -> None:
    adapter = await add_adapter(sessions, settings, tmp_path)
    weights = Path(adapter.path) / "adapter_model.safetensors"
    weights.chmod(0o644)
    weights.write_bytes(weights.read_bytes()[:-1])
    await promote(sessions, adapter)
    reply = await client.post("/v1/chat/completions", json=CHAT)
    assert reply.status_code == 500
    assert reply.json()["error"]["code"] == "adapter_files_damaged"


async def test_engine_side_names_are_never_reused(
    sessions: Sessions, settings: Settings, tmp_path: Path
) -> None:
    names = {(await add_adapter(sessions, settings, tmp_path)).engine_name for _ in range(5)}
    assert len(names) == 5
