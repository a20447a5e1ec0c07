"""Traces are written before the client sees the end of its reply.

While PostgreSQL is away they go, fsynced, to the local spool, and from there into PostgreSQL once
it is back.
"""

import asyncio
import logging
from types import TracebackType
from typing import Self

from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from shared.contracts.traces import Trace
from shared.db.session import Sessions
from shared.storage.spool import TraceSpool
from shared.storage.traces import TraceStore

REPLAY_INTERVAL_S = 2.0

log = logging.getLogger(__name__)


class TraceRecorder:
    """Writes traces, to the database or to the spool.

    Args:
        sessions: The database.
        spool: Where traces wait while it is away.
    """

    def __init__(self, sessions: Sessions, spool: TraceSpool) -> None:
        self._sessions = sessions
        self._spool = spool
        self._late: set[asyncio.Task[None]] = set()
        self._replay_task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._replay_task = asyncio.create_task(self._replay_for_ever())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._replay_task is not None:
            self._replay_task.cancel()
            await asyncio.gather(self._replay_task, return_exceptions=True)
        await asyncio.gather(*self._late, return_exceptions=True)

    async def record(self, trace: Trace) -> None:
        """Write a trace; it is durable when this returns.

        Raises:
            StorageError: If neither database nor spool takes it: the reply must not end well.
        """
        try:
            async with self._sessions.begin() as session:
                await TraceStore(session).add(trace)
        except (SQLAlchemyError, OSError) as error:
            log.warning("trace %s goes to the spool: %s", trace.id, error)
            await asyncio.to_thread(self._spool.write, trace)

    async def record_surely(self, trace: Trace) -> None:
        """As `record`; the write goes on if whoever waits for it is cancelled."""
        await asyncio.shield(self.record_late(trace))

    def record_late(self, trace: Trace) -> "asyncio.Task[None]":
        """Write a trace that no client waits for."""
        task = asyncio.create_task(self.record(trace))
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        return task

    async def _replay_for_ever(self) -> None:
        while True:
            try:
                await self.replay()
            except (SQLAlchemyError, OSError) as error:
                log.info("the spool waits: %s", error)
            except Exception:
                log.exception("the spool cannot be replayed")
            await asyncio.sleep(REPLAY_INTERVAL_S)

    async def replay(self) -> int:
        """Move spooled traces into the database; a trace that is there already changes nothing.

        Returns:
            How many were moved.
        """
        num_moved = 0
        for trace in self._spool.traces():
            try:
                async with self._sessions.begin() as session:
                    await TraceStore(session).add(trace)
            except (IntegrityError, DataError) as error:
                log.error("spooled trace %s does not fit the database: %s", trace.id, error)
                self._spool.set_aside(trace)
                continue
            self._spool.remove(trace)
            num_moved += 1
        return num_moved
