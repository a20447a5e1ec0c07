"""Adds traces fast: on a connection of its own, where one statement is one transaction.

A session of the pool asks whether its connection lives, begins and commits: four round trips for a
batch. Here it is one; a connection that died meanwhile is noticed when it is used.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.contracts.traces import Trace
from shared.storage.traces import ADDING, rows_of


class TraceWriter:
    """Adds traces, one batch after the other.

    Args:
        database: Where to connect, at the first batch and whenever the connection was lost.
    """

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database.execution_options(isolation_level="AUTOCOMMIT")
        self._connection: AsyncConnection | None = None
        self._lock = asyncio.Lock()

    async def add(self, traces: Sequence[Trace]) -> None:
        """Record traces; they are durable when this returns, and a second write changes nothing."""
        async with self._lock:
            is_used_again = self._connection is not None
            try:
                try:
                    await self._execute(traces)
                except DBAPIError as error:
                    if not (is_used_again and error.connection_invalidated):
                        raise
                    # It died while nobody wrote.
                    await self._drop()
                    await self._execute(traces)
            except BaseException:
                # It may still be at it.
                await self._drop()
                raise

    async def _execute(self, traces: Sequence[Trace]) -> None:
        if self._connection is None:
            self._connection = await self._database.connect()
        await self._connection.execute(ADDING, rows_of(traces))

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(DBAPIError, OSError):
                await connection.invalidate()
            await connection.close()

    async def close(self) -> None:
        """Give the connection back."""
        async with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                await connection.close()
