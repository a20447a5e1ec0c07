"""Everything that routes call, built once for the process."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pydantic import SecretStr

from api.adapters.service import AdapterService
from api.chat.recorder import TraceRecorder
from api.chat.service import ChatService
from api.directory import Directory
from api.documents.service import DocumentService
from api.engines import EnginePool
from api.erasure.service import ErasureService
from api.feedback.service import FeedbackService
from api.health.service import HealthService
from api.keys.service import KeyService
from api.memories.service import MemoryService
from api.sleep.service import SleepService
from api.traces.service import TraceService
from shared.contracts.keys import Role
from shared.db.session import Sessions, create_engine, create_sessions
from shared.queue.wakeups import Queue, create_celery
from shared.settings import Settings
from shared.storage.keys import KeyStore
from shared.storage.spool import TraceSpool
from shared.storage.tenants import TenantStore

DEFAULT = "default"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Services:
    """The process's services."""

    settings: Settings
    directory: Directory
    chat: ChatService
    feedback: FeedbackService
    sleep: SleepService
    adapters: AdapterService
    memories: MemoryService
    documents: DocumentService
    traces: TraceService
    erasure: ErasureService
    keys: KeyService
    health: HealthService


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """Connect, provision the default tenant, keep watch over the engine; close all of it after."""
    database = create_engine(settings, pooled=True)
    sessions = create_sessions(database)
    await provision(settings, sessions)
    queue = Queue(create_celery(settings))
    spool = TraceSpool(settings.spool_dir, settings.spool_max_bytes)
    async with (
        Directory(settings, sessions) as directory,
        EnginePool(settings, sessions) as engines,
        TraceRecorder(sessions, spool) as recorder,
    ):
        yield Services(
            settings=settings,
            directory=directory,
            chat=ChatService(settings, directory, engines, recorder),
            feedback=FeedbackService(sessions),
            sleep=SleepService(sessions, queue),
            adapters=AdapterService(directory, engines),
            memories=MemoryService(sessions),
            documents=DocumentService(directory),
            traces=TraceService(settings, directory),
            erasure=ErasureService(directory, engines, recorder),
            keys=KeyService(directory),
            health=HealthService(sessions, engines, spool),
        )
    await database.dispose()


async def provision(settings: Settings, sessions: Sessions) -> None:
    """Make the default tenant with its model and, at the first start, the keys of the settings."""
    async with sessions.begin() as session:
        tenants = TenantStore(session)
        tenant_id = await tenants.ensure_tenant(DEFAULT)
        await tenants.ensure_model(tenant_id, DEFAULT, settings.base_model_name)
        given: tuple[tuple[str, Role, SecretStr | None], ...] = (
            ("chat", settings.api_key_role, settings.api_key),
            ("admin", "admin", settings.admin_key),
        )
        for name, role, secret in given:
            if secret is None:
                continue
            key = secret.get_secret_value()
            if not await KeyStore(session).ensure(tenant_id, name, role, key):
                log.warning(
                    "the settings' key %r is not the one in use, which was made before or revoked: "
                    "see `dormouse keys`",
                    name,
                )
