"""Keys are made by who administrates, shown once, and stop working everywhere and for good."""

import asyncio
import logging
import os
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import select, text, update

from api.directory import Directory
from api.keys.service import KeyService
from api.services import provision
from shared.contracts.keys import ApiKey, Role
from shared.db.session import Sessions
from shared.db.tables import ApiKeyRow
from shared.errors import LastKeyError
from shared.settings import MIN_KEY_LENGTH, Settings
from shared.storage.keys import hash_key
from tests.api.test_processes import serving, until_all_answer
from tests.conftest import ADMIN_KEY, API_KEY, served

SOON = "2999-01-01T00:00:00Z"
# How the code before migration 0013 wrote the settings' keys at each start.
WRITTEN_BY_OLDER_CODE = text(
    "INSERT INTO api_keys (id, tenant_id, name, scope, key_sha256) "
    "SELECT gen_random_uuid(), id, :name, 'chat', :key_sha256 FROM tenants WHERE name = 'default' "
    "ON CONFLICT (tenant_id, name) DO UPDATE "
    "SET key_sha256 = excluded.key_sha256, scope = excluded.scope"
)


async def make(
    admin: httpx.AsyncClient, name: str = "shop", role: Role = "chat", **fields: Any
) -> dict[str, Any]:
    reply = await admin.post("/admin/keys", json={"name": name, "role": role, **fields})
    assert reply.status_code == 201, reply.text
    body: dict[str, Any] = reply.json()
    return body


async def listed(admin: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    """Keys by their names."""
    rows = (await admin.get("/admin/keys")).json()["data"]
    return {row["name"]: row for row in rows}


async def revoke(admin: httpx.AsyncClient, name: str) -> None:
    reply = await admin.delete(f"/admin/keys/{(await listed(admin))[name]['id']}")
    assert reply.status_code == 200, reply.text


async def status_with(url: str, key: str) -> int:
    """What a new connection, which any process may take, is answered."""
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as client:
        return (await client.get(f"{url}/v1/models")).status_code


async def statuses_with(url: str, key: str) -> set[int]:
    """Of so many connections that each of two processes takes some."""
    return set(await asyncio.gather(*(status_with(url, key) for _ in range(20))))


async def test_a_key_is_shown_once_and_only_its_hash_is_kept(
    api: str, admin: httpx.AsyncClient, sessions: Sessions
) -> None:
    made = await make(admin, expires_at=SOON)
    assert made["key"].startswith("dm-")
    assert len(made["key"]) >= 40
    assert await status_with(api, made["key"]) == 200
    shown = await admin.get("/admin/keys")
    assert made["key"] not in shown.text
    [row] = [row for row in shown.json()["data"] if row["name"] == "shop"]
    assert row == {name: value for name, value in made.items() if name != "key"} | {
        "last_used_at": row["last_used_at"]
    }
    assert (row["role"], row["expires_at"], row["created_by"]) == ("chat", SOON, "admin")
    gone = await admin.delete(f"/admin/keys/{made['id']}")
    assert "key" not in gone.json()
    async with sessions.begin() as session:
        stored = (await session.execute(select(*ApiKeyRow.__table__.columns))).all()
    assert made["key"] not in str(stored)


async def test_no_two_keys_are_alike(admin: httpx.AsyncClient) -> None:
    made = [await make(admin, f"shop {number}") for number in range(5)]
    assert len({key["key"] for key in made}) == len({key["id"] for key in made}) == 5


async def test_a_name_stands_for_one_key_also_when_that_is_revoked(
    admin: httpx.AsyncClient,
) -> None:
    await make(admin)
    for _ in range(2):
        reply = await admin.post("/admin/keys", json={"name": "shop", "role": "admin"})
        assert (reply.status_code, reply.json()["error"]["code"]) == (409, "key_name_taken")
        assert "Choose another name" in reply.json()["error"]["message"]
        await revoke(admin, "shop")


@pytest.mark.parametrize(
    "fields",
    [
        {"expires_at": "2999-01-01T00:00:00"},
        {"expires_at": "2999-01-01"},
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"expires_at": "9999-12-31T23:59:59-12:00"},
        {"name": ""},
        {"name": "x" * 101},
        {"name": "two\nlines"},
        {"role": "owner"},
        {"key": "one-that-i-made-up"},
    ],
)
async def test_what_cannot_be_a_key_is_refused_and_nothing_is_made(
    admin: httpx.AsyncClient, fields: dict[str, str]
) -> None:
    reply = await admin.post("/admin/keys", json={"name": "shop", "role": "chat"} | fields)
    assert reply.status_code == 400, reply.text
    assert next(iter(fields)) in reply.json()["error"]["message"]
    assert set(await listed(admin)) == {"chat", "admin"}


async def test_an_expired_key_is_refused_and_stays_in_the_list(
    api: str, admin: httpx.AsyncClient, sessions: Sessions
) -> None:
    in_an_hour = datetime.now(UTC) + timedelta(hours=1)
    made = await make(admin, expires_at=in_an_hour.isoformat())
    assert await status_with(api, made["key"]) == 200
    async with sessions.begin() as session:
        await session.execute(
            update(ApiKeyRow)
            .where(ApiKeyRow.name == "shop")
            .values(expires_at=datetime.now(UTC) - timedelta(seconds=1))
        )
    await asyncio.sleep(1)
    assert await status_with(api, made["key"]) == 401
    assert (await listed(admin))["shop"]["revoked_at"] is None


async def test_a_key_is_revoked_for_good_and_once(api: str, admin: httpx.AsyncClient) -> None:
    made = await make(admin)
    first = await admin.delete(f"/admin/keys/{made['id']}")
    assert await status_with(api, made["key"]) == 401
    again = await admin.delete(f"/admin/keys/{made['id']}")
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json() == (await listed(admin))["shop"]
    assert first.json()["revoked_at"] is not None
    unknown = await admin.delete(f"/admin/keys/{uuid4()}")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "not_found")


async def test_every_process_refuses_a_revoked_key_also_when_it_starts_with_it(
    api: str, admin: httpx.AsyncClient, settings: Settings
) -> None:
    async with serving(settings) as (processes, first):
        await until_all_answer(processes, first)
        assert await statuses_with(processes, API_KEY) == {200}
        assert await status_with(api, API_KEY) == 200
        await revoke(admin, "chat")
        await asyncio.sleep(1)
        assert await statuses_with(processes, API_KEY) == {401}
        assert await status_with(api, API_KEY) == 401
    async with serving(settings) as (processes, first):
        await until_all_answer(processes, first)
        assert await statuses_with(processes, API_KEY) == {401}


async def test_another_application_refuses_a_revoked_key_though_nothing_is_announced(
    settings: Settings, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*arguments: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Directory, "_watch_for_ever", nothing)
    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
    async with (
        served(settings) as one,
        served(settings) as other,
        httpx.AsyncClient(base_url=one, headers=headers) as admin,
    ):
        assert await status_with(one, API_KEY) == await status_with(other, API_KEY) == 200
        await revoke(admin, "chat")
        # Where it was revoked, at once.
        assert await status_with(one, API_KEY) == 401
        await asyncio.sleep(1)
        assert await status_with(other, API_KEY) == 401


@pytest.mark.parametrize("name", ["chat", "another name"])
async def test_the_version_before_does_not_bring_a_revoked_key_back(
    api: str, admin: httpx.AsyncClient, sessions: Sessions, settings: Settings, name: str
) -> None:
    before = {"name": name, "key_sha256": hash_key(API_KEY)}
    async with sessions.begin() as session:
        await session.execute(WRITTEN_BY_OLDER_CODE, before | {"name": "chat"})
    assert await status_with(api, API_KEY) == 200
    await revoke(admin, "chat")
    async with sessions.begin() as session:
        await session.execute(WRITTEN_BY_OLDER_CODE, before)
    await asyncio.sleep(1)
    assert await status_with(api, API_KEY) == 401
    async with served(settings) as restarted:
        assert await status_with(restarted, API_KEY) == 401
    assert set(await listed(admin)) == {"chat", "admin"}
    # Nor does that version let it in, which asks for nothing but the hash.
    async with sessions.begin() as session:
        known = select(ApiKeyRow.id).where(ApiKeyRow.key_sha256 == hash_key(API_KEY))
        assert await session.scalar(known) is None


async def test_another_key_in_the_settings_changes_nothing_and_is_logged(
    api: str,
    admin: httpx.AsyncClient,
    settings: Settings,
    sessions: Sessions,
    caplog: pytest.LogCaptureFixture,
) -> None:
    other = "another-chat-key-0001"
    changed = settings.model_copy(update={"api_key": SecretStr(other)})
    await provision(settings, sessions)
    assert caplog.records == []
    before = await listed(admin)
    await provision(changed, sessions)
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert "'chat' is not the one in use" in record.getMessage()
    assert other not in caplog.text
    await asyncio.sleep(1)
    assert await status_with(api, other) == 401
    assert await status_with(api, API_KEY) == 200
    assert (await listed(admin)).keys() == before.keys()


async def test_a_key_that_was_made_later_may_stand_in_the_settings(
    api: str,
    admin: httpx.AsyncClient,
    settings: Settings,
    sessions: Sessions,
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = await make(admin, "rescue", "admin")
    changed = settings.model_copy(update={"admin_key": SecretStr(made["key"])})
    await provision(changed, sessions)
    assert caplog.records == []
    assert {name: key["role"] for name, key in (await listed(admin)).items()} == {
        "chat": "teacher",
        "admin": "admin",
        "rescue": "admin",
    }


async def test_the_last_use_is_noted_to_the_minute(
    api: str, admin: httpx.AsyncClient, sessions: Sessions
) -> None:
    made = await make(admin)
    assert made["last_used_at"] is None
    asked_at = datetime.now(UTC)
    await status_with(api, made["key"])
    noted = datetime.fromisoformat((await listed(admin))["shop"]["last_used_at"])
    assert abs(noted - asked_at) < timedelta(minutes=1)
    earlier = noted - timedelta(hours=1)
    async with sessions.begin() as session:
        await session.execute(
            update(ApiKeyRow).where(ApiKeyRow.name == "shop").values(last_used_at=earlier)
        )
    await asyncio.sleep(1)
    await status_with(api, made["key"])
    later = datetime.fromisoformat((await listed(admin))["shop"]["last_used_at"])
    assert later >= noted


async def test_the_last_admin_key_that_works_cannot_be_revoked(
    api: str, admin: httpx.AsyncClient, sessions: Sessions
) -> None:
    own = (await listed(admin))["admin"]["id"]
    # Neither of these administrates: one is no admin, the other has expired.
    await make(admin, "anna", "teacher")
    await make(admin, "old", "admin", expires_at=SOON)
    async with sessions.begin() as session:
        await session.execute(
            update(ApiKeyRow).where(ApiKeyRow.name == "old").values(expires_at=datetime.now(UTC))
        )
    reply = await admin.delete(f"/admin/keys/{own}")
    assert (reply.status_code, reply.json()["error"]["code"]) == (409, "last_admin_key")
    assert "Make one first" in reply.json()["error"]["message"]
    assert (await listed(admin))["admin"]["revoked_at"] is None
    await revoke(admin, "old")
    made = await make(admin, "new", "admin")
    assert (await admin.delete(f"/admin/keys/{own}")).status_code == 200
    assert await status_with(api, ADMIN_KEY) == 401
    assert await status_with(api, made["key"]) == 200


async def test_of_two_admins_who_revoke_each_other_one_stays(
    admin: httpx.AsyncClient, settings: Settings, sessions: Sessions
) -> None:
    directory = Directory(settings, sessions)
    made = await make(admin, "second", "admin")
    callers = [await directory.caller(key) for key in (ADMIN_KEY, made["key"])]
    one, other = callers
    service = KeyService(directory)
    outcomes = await asyncio.gather(
        service.revoke(one, other.key_id), service.revoke(other, one.key_id), return_exceptions=True
    )
    assert {type(outcome) for outcome in outcomes} == {ApiKey, LastKeyError}


async def test_another_tenant_sees_and_revokes_none_of_them(
    api: str, admin: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    made = await make(admin)
    assert set(await listed(stranger)) == {"admin"}
    reply = await stranger.delete(f"/admin/keys/{made['id']}")
    assert reply.status_code == 404
    assert await status_with(api, made["key"]) == 200
    # Nor does it count: the stranger's own last key stays, and the names are its own.
    assert (await listed(stranger))["admin"]["id"] != (await listed(admin))["admin"]["id"]
    last = await stranger.delete(f"/admin/keys/{(await listed(stranger))['admin']['id']}")
    assert last.json()["error"]["code"] == "last_admin_key"
    await make(stranger)
    assert set(await listed(admin)) == {"chat", "admin", "shop"}


async def test_who_lost_the_admin_key_makes_another_in_the_database(
    api: str, admin: httpx.AsyncClient, settings: Settings
) -> None:
    async def rescue(*options: str) -> tuple[int | None, str, str]:
        argv = [sys.executable, "-m", "api.keys", "--role", "admin", *options]
        database = {"DORMOUSE_DATABASE_URL": settings.database_url.get_secret_value()}
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *argv, env={**os.environ, **database}, stdout=pipe, stderr=pipe
        )
        out, err = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode, out.decode(), err.decode()

    status, key, _ = await rescue("--name", "rescue", "--expires-days", "2")
    assert status == 0
    headers = {"Authorization": f"Bearer {key.strip()}"}
    async with httpx.AsyncClient(base_url=api, headers=headers) as rescued:
        await revoke(rescued, "admin")
        found = (await listed(rescued))["rescue"]
        assert found["created_by"] == "python -m api.keys"
        expires_at = datetime.fromisoformat(found["expires_at"])
        assert timedelta(days=1) < expires_at - datetime.now(UTC) < timedelta(days=2)
    assert await status_with(api, ADMIN_KEY) == 401
    status, out, err = await rescue("--name", "rescue")
    assert (status, out) == (1, "")
    assert "Choose another name" in err
    status, out, err = await rescue("--name", "")
    assert (status, out) == (2, "")
    assert "--name" in err


@pytest.mark.parametrize("name", ["api_key", "admin_key"])
def test_a_key_of_the_settings_has_a_minimum_length(name: str) -> None:
    short: Any = {name: "x" * (MIN_KEY_LENGTH - 1)}
    with pytest.raises(ValidationError, match=f"(?s){name}.*at least {MIN_KEY_LENGTH}"):
        Settings(**short)
    long: Any = {name: "x" * MIN_KEY_LENGTH}
    assert getattr(Settings(**long), name) == SecretStr("x" * MIN_KEY_LENGTH)
