"""Sleep cycles over HTTP: one at a time, cancelled cleanly, woken through the outbox."""

from pathlib import Path

import httpx
from pydantic import SecretStr
from sqlalchemy import select

from api.main import create_app
from shared.db.session import Sessions
from shared.db.tables import OutboxRow
from shared.settings import Settings


async def test_a_cycle_is_queued_and_the_queue_is_told(
    admin: httpx.AsyncClient, sessions: Sessions
) -> None:
    reply = await admin.post("/admin/sleep-cycles", json={"reason": "after lunch"})
    assert reply.status_code == 202
    cycle = reply.json()
    assert cycle["status"] == "queued"
    assert cycle["counts"] == {"traces": 0, "memories": 0, "seeds": 0, "dreams": 0}
    assert (await admin.get(f"/admin/sleep-cycles/{cycle['id']}")).json() == cycle
    assert (await admin.get("/admin/sleep-cycles")).json()["data"] == [cycle]
    async with sessions.begin() as session:
        [message] = list(await session.scalars(select(OutboxRow)))
    assert message.payload == {"cycle_id": cycle["id"]}
    assert message.sent_at is not None


async def test_a_second_cycle_is_a_conflict_until_the_first_has_ended(
    admin: httpx.AsyncClient,
) -> None:
    first = (await admin.post("/admin/sleep-cycles")).json()
    second = await admin.post("/admin/sleep-cycles")
    assert second.status_code == 409
    assert second.json()["error"]["code"] == "sleep_cycle_active"
    assert first["id"] in second.json()["error"]["message"]
    cancelled = await admin.post(f"/admin/sleep-cycles/{first['id']}/cancel")
    assert cancelled.json()["status"] == "cancelled"
    assert (await admin.post("/admin/sleep-cycles")).status_code == 202
    again = await admin.post(f"/admin/sleep-cycles/{first['id']}/cancel")
    assert again.status_code == 409


async def test_a_queue_that_is_away_loses_nothing(
    settings: Settings, sessions: Sessions, tmp_path: Path
) -> None:
    away = settings.model_copy(update={"redis_url": SecretStr("redis://127.0.0.1:1/0")})
    app = create_app(away)
    transport = httpx.ASGITransport(app)
    key = away.admin_key.get_secret_value() if away.admin_key else ""
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers) as admin,
    ):
        reply = await admin.post("/admin/sleep-cycles")
    assert reply.status_code == 202
    async with sessions.begin() as session:
        [message] = list(await session.scalars(select(OutboxRow)))
    assert message.sent_at is None


async def test_another_tenant_sees_no_cycle(
    admin: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    cycle = (await admin.post("/admin/sleep-cycles")).json()
    assert (await stranger.get("/admin/sleep-cycles")).json() == {"data": []}
    assert (await stranger.get(f"/admin/sleep-cycles/{cycle['id']}")).status_code == 404
    cancel = await stranger.post(f"/admin/sleep-cycles/{cycle['id']}/cancel")
    assert cancel.status_code == 404


async def test_a_teachers_key_may_not_administer(client: httpx.AsyncClient) -> None:
    for method, path in (
        ("POST", "/admin/sleep-cycles"),
        ("GET", "/admin/adapters"),
        ("POST", "/admin/rollback"),
    ):
        reply = await client.request(method, path)
        assert reply.status_code == 403
        assert reply.json()["error"]["code"] == "insufficient_permissions"
