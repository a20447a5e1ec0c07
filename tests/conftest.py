"""Real PostgreSQL and Valkey for every test that needs them; the engine is faked at its port."""

import asyncio
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from pydantic import SecretStr
from sqlalchemy import text

from api.main import create_app
from api.services import DEFAULT, provision
from cli.stack import LocalStack
from shared.db.session import Sessions, create_engine, create_sessions
from shared.db.tables import Row
from shared.settings import Settings
from shared.storage.keys import KeyStore
from shared.storage.tenants import TenantStore
from tests.fakes.engine import FakeEngine

API_KEY = "test-teacher-key-0001"
ADMIN_KEY = "test-admin-key-000001"
STRANGER_KEY = "test-stranger-key-001"


@pytest.fixture(scope="session")
def services() -> Iterator[dict[str, str]]:
    """Addresses of a real PostgreSQL, migrated, and a real Valkey."""
    home = Path(tempfile.mkdtemp(prefix="dormouse-test-"))
    with LocalStack(home, only=("postgres", "valkey", "migrations")) as stack:
        stack.start()
        yield stack.env
    shutil.rmtree(home)


@pytest.fixture
async def engine() -> AsyncIterator[FakeEngine]:
    fake = FakeEngine()
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def settings(services: dict[str, str], engine: FakeEngine, tmp_path: Path) -> Settings:
    return Settings(
        database_url=SecretStr(services["DORMOUSE_DATABASE_URL"]),
        redis_url=SecretStr(services["DORMOUSE_REDIS_URL"]),
        engine_url=engine.url,
        engine_api_key=None,
        api_key=SecretStr(API_KEY),
        api_key_role="teacher",
        admin_key=SecretStr(ADMIN_KEY),
        adapters_dir=tmp_path / "adapters",
        spool_dir=tmp_path / "spool",
        engine_check_interval_s=0.05,
    )


@pytest.fixture
async def sessions(settings: Settings) -> AsyncIterator[Sessions]:
    """An empty database with the default tenant."""
    database = create_engine(settings, pooled=False)
    factory = create_sessions(database)
    async with factory.begin() as session:
        tables = ", ".join(table.name for table in Row.metadata.sorted_tables)
        await session.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    await provision(settings, factory)
    yield factory
    await database.dispose()


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[str]:
    """The address of the real application, served by uvicorn in this loop."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = uvicorn.Config(
        create_app(settings), host="127.0.0.1", port=port, log_level="warning", ws="none"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


@pytest.fixture
async def api(settings: Settings, sessions: Sessions) -> AsyncIterator[str]:
    """The address of one application."""
    async with served(settings) as url:
        yield url


@pytest.fixture
async def client(api: str) -> AsyncIterator[httpx.AsyncClient]:
    """A developer's client, with a teacher's key, as on a local stack."""
    headers = {"Authorization": f"Bearer {API_KEY}"}
    async with httpx.AsyncClient(base_url=api, headers=headers, timeout=20) as client:
        yield client


@pytest.fixture
async def admin(api: str) -> AsyncIterator[httpx.AsyncClient]:
    """An operator's client."""
    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
    async with httpx.AsyncClient(base_url=api, headers=headers, timeout=20) as client:
        yield client


@pytest.fixture
async def stranger(api: str, sessions: Sessions) -> AsyncIterator[httpx.AsyncClient]:
    """Another tenant's administrator, with a model of the same name."""
    async with sessions.begin() as session:
        store = TenantStore(session)
        tenant_id = await store.ensure_tenant("other")
        await store.ensure_model(tenant_id, DEFAULT, "SmolLM2-135M-Instruct")
        await KeyStore(session).ensure(tenant_id, "admin", "admin", STRANGER_KEY)
    headers = {"Authorization": f"Bearer {STRANGER_KEY}"}
    async with httpx.AsyncClient(base_url=api, headers=headers, timeout=20) as client:
        yield client
