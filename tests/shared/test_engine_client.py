"""The client's connections to the engine."""

import asyncio

import pytest
from aiohttp import web

from shared.engine.client import EngineClient
from shared.settings import Settings


@pytest.mark.parametrize(("idle_s", "num_connections"), [(60.0, 1), (0.01, 2)])
async def test_a_connection_that_was_idle_for_long_is_not_taken_up_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, idle_s: float, num_connections: int
) -> None:
    monkeypatch.setattr("shared.engine.client.IDLE_S", idle_s)
    peers = []

    async def models(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.append(request.transport.get_extra_info("peername"))
        return web.json_response({"data": []})

    app = web.Application()
    app.router.add_get("/v1/models", models)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        async with EngineClient(settings, f"http://{host}:{port}") as engine:
            await engine.models()
            await asyncio.sleep(0.2)
            await engine.models()
    finally:
        await runner.cleanup()
    assert len(set(peers)) == num_connections
