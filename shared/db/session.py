"""Connections to PostgreSQL. One engine belongs to one event loop."""

import re
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.pool import NullPool

from shared.settings import Settings

Sessions = async_sessionmaker[AsyncSession]

CONNECT_TIMEOUT_S = 5
# Not a backslash that is itself escaped, and then letters.
NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def create_engine(settings: Settings, *, pooled: bool) -> AsyncEngine:
    """Connect lazily.

    Args:
        settings: Holds the address.
        pooled: True for a long-lived loop (the API); False for a task, whose loop ends with it.
    """
    url = settings.database_url.get_secret_value()
    connect_args = {"connect_timeout": CONNECT_TIMEOUT_S}
    options: dict[str, Any] = {
        "json_serializer": _dumps,
        "json_deserializer": orjson.loads,
        # An error's message goes into logs, which nobody can erase from.
        "hide_parameters": True,
    }
    if not pooled:
        return create_async_engine(url, poolclass=NullPool, connect_args=connect_args, **options)
    return create_async_engine(
        url,
        **options,
        pool_size=settings.database_pool_size,
        # More than that wait: opening and closing connections costs more.
        max_overflow=0,
        pool_pre_ping=True,
        pool_timeout=CONNECT_TIMEOUT_S,
        connect_args=connect_args,
    )


def _dumps(content: Any) -> str:
    """JSON for PostgreSQL, which keeps no NUL; a model may write one."""
    written = orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS).decode()
    return NUL.sub(r"\1", written) if "\\u0000" in written else written


def create_sessions(engine: AsyncEngine) -> Sessions:
    """A factory of sessions; use `async with sessions.begin() as session`."""
    return async_sessionmaker(engine, expire_on_commit=False)
