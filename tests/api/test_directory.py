"""Who answers on a name is remembered, and asked again as soon as it changes."""

import asyncio
import time
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from api.directory import Directory
from shared.db.session import Sessions, create_engine, create_sessions
from shared.errors import AuthenticationError
from shared.settings import Settings
from shared.storage.keys import KeyStore
from shared.storage.models import ModelStore
from shared.storage.tenants import TenantStore
from tests.conftest import API_KEY

WAIT_S = 5.0


async def tenant(sessions: Sessions) -> UUID:
    async with sessions.begin() as session:
        return await TenantStore(session).ensure_tenant("default")


async def known_for(directory: Directory, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        await directory.caller(API_KEY)
        await asyncio.sleep(0.01)


async def test_an_answer_is_remembered_for_a_moment(
    settings: Settings, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    route = ModelStore.route

    async def counted(store: ModelStore, tenant_id: UUID, name: str) -> object:
        nonlocal asked
        asked += 1
        return await route(store, tenant_id, name)

    monkeypatch.setattr(ModelStore, "route", counted)
    directory = Directory(settings, sessions)
    tenant_id = await tenant(sessions)
    first = await directory.route(tenant_id, "default")
    assert await directory.route(tenant_id, "default") == first
    assert asked == 1
    directory.expire()
    await directory.route(tenant_id, "default")
    assert asked == 2
    monkeypatch.setattr("api.directory.FRESH_S", 0.0)
    await directory.route(tenant_id, "default")
    assert asked == 3


async def test_a_key_that_is_revoked_in_another_process_stops_working_without_delay(
    settings: Settings, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only the announcement can end it.
    monkeypatch.setattr("api.directory.FRESH_S", 3600.0)
    tenant_id = await tenant(sessions)
    async with Directory(settings, sessions) as directory:
        caller = await directory.caller(API_KEY)
        await asyncio.sleep(0.3)
        await directory.caller(API_KEY)
        async with sessions.begin() as session:
            await KeyStore(session).revoke(tenant_id, caller.key_id)
        with pytest.raises(AuthenticationError):
            await known_for(directory, WAIT_S)


async def test_without_the_database_the_last_known_answer_serves_however_old(
    settings: Settings, sessions: Sessions
) -> None:
    directory = Directory(settings, sessions)
    caller = await directory.caller(API_KEY)
    nowhere = SecretStr("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    away = settings.model_copy(update={"database_url": nowhere})
    directory.sessions = create_sessions(create_engine(away, pooled=False))
    directory.expire()
    assert await directory.caller(API_KEY) == caller


async def test_a_database_that_hangs_is_as_good_as_away(
    settings: Settings, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = Directory(settings, sessions)
    tenant_id = await tenant(sessions)
    known = await directory.route(tenant_id, "default")

    async def hang(store: ModelStore, tenant_id: UUID, name: str) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(ModelStore, "route", hang)
    monkeypatch.setattr("api.directory.ASK_TIMEOUT_S", 0.1)
    directory.expire()
    async with asyncio.timeout(WAIT_S):
        chats = (directory.route(tenant_id, "default") for _ in range(8))
        assert await asyncio.gather(*chats) == [known] * 8
        with pytest.raises(PoolTimeoutError):
            await directory.route(tenant_id, "another")


async def test_what_many_want_to_know_at_once_is_asked_once(
    settings: Settings, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    may_answer = asyncio.Event()
    route = ModelStore.route

    async def counted(store: ModelStore, tenant_id: UUID, name: str) -> object:
        nonlocal asked
        asked += 1
        await may_answer.wait()
        return await route(store, tenant_id, name)

    monkeypatch.setattr(ModelStore, "route", counted)
    directory = Directory(settings, sessions)
    tenant_id = await tenant(sessions)
    chats = [asyncio.create_task(directory.route(tenant_id, "default")) for _ in range(8)]
    async with asyncio.timeout(WAIT_S):
        while not asked:
            await asyncio.sleep(0.01)
        # Who leaves takes the answer from nobody; who comes after a change does not get the old.
        chats[0].cancel()
        directory.expire()
        late = asyncio.create_task(directory.route(tenant_id, "default"))
        while asked < 2:
            await asyncio.sleep(0.01)
        may_answer.set()
        first, *others = await asyncio.gather(*chats, late, return_exceptions=True)
    assert isinstance(first, asyncio.CancelledError)
    assert {getattr(found, "name", found) for found in others} == {"default"}
    assert asked == 2
