"""What a task works with, opened for its own event loop and closed after it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from shared.db.session import Sessions, create_engine, create_sessions
from shared.engine.client import EngineClient
from shared.queue.wakeups import Queue, create_celery
from shared.settings import Settings


@dataclass(frozen=True)
class Context:
    """Settings, database, engine and queue of one task."""

    settings: Settings
    sessions: Sessions
    engine: EngineClient
    queue: Queue


@asynccontextmanager
async def open_context(settings: Settings) -> AsyncIterator[Context]:
    """Connect without a pool: the loop ends with the task."""
    database = create_engine(settings, pooled=False)
    async with EngineClient(settings) as engine:
        yield Context(
            settings=settings,
            sessions=create_sessions(database),
            engine=engine,
            queue=Queue(create_celery(settings)),
        )
    await database.dispose()
