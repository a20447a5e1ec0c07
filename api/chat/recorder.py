"""Traces are written before the client sees the end of its reply.

Replies that end at about the same time share one transaction (group commit): while one is on its
way the next ones gather, so the wait is that of one commit, never a timer. While PostgreSQL is away
traces go, fsynced, to the local spool, and from there into PostgreSQL once it is back.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Self
from uuid import UUID

from psycopg.errors import DataError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError, StatementError

from shared.contracts.traces import Trace
from shared.db.session import Sessions
from shared.errors import DormouseError, StorageError
from shared.storage.late import LateStore
from shared.storage.spool import TraceSpool
from shared.storage.trace_writer import TraceWriter
from shared.storage.traces import TraceStore

REPLAY_INTERVAL_S = 2.0
# Of one transaction.
MAX_BATCH = 256
# A database that takes longer is as good as away.
WRITE_TIMEOUT_S = 5.0
# Once it was away, nobody waits for it again so soon.
AWAY_S = 2.0
# What a database that is away, slow or not itself leads to.
AWAY = (SQLAlchemyError, OSError)
# SQLSTATE classes of what the database refuses whenever it is asked: wrong data, a row that may not
# be, and more than it takes, which a batch may be where its traces are not.
REFUSALS = ("22", "23", "54")

log = logging.getLogger(__name__)


class TraceRecorder:
    """Writes traces, to the database or to the spool.

    Args:
        sessions: The database.
        spool: Where traces wait while it is away.
    """

    def __init__(self, sessions: Sessions, spool: TraceSpool) -> None:
        self._sessions = sessions
        self._writer = TraceWriter(sessions.kw["bind"])
        self._spool = spool
        self._waiting: asyncio.Queue[tuple[Trace, asyncio.Future[None]]] = asyncio.Queue()
        self._away_until = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(self._write_for_ever()),
            asyncio.create_task(self._replay_for_ever()),
        ]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._waiting.join()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._writer.close()

    async def record(self, trace: Trace) -> None:
        """Write a trace; it is durable when this returns, and written even if nobody waits.

        Raises:
            StorageError: If neither database nor spool takes it: the reply must not end well.
        """
        await self.record_late(trace)

    def record_late(self, trace: Trace) -> "asyncio.Future[None]":
        """Write a trace that no client waits for."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((trace, written))
        return written

    async def settle(self) -> None:
        """What waits to be written now is written; while many chat it is not waited for long."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._waiting.join(), WRITE_TIMEOUT_S)

    async def num_spooled_of(self, tenant_id: UUID, authors: Sequence[str]) -> int:
        """How many traces of an author are in this machine's spool."""
        return await asyncio.to_thread(self._spool.num_of, tenant_id, authors)

    async def erase_spooled(self, tenant_id: UUID, authors: Sequence[str], before: datetime) -> int:
        """Delete those that began before then, for good; other machines drop theirs at replay.

        Returns:
            How many there were.

        Raises:
            StorageError: If the disk refuses.
        """
        return await asyncio.to_thread(self._spool.erase, tenant_id, authors, before)

    async def _write_for_ever(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < MAX_BATCH and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            failures = await self._write([trace for trace, _ in batch])
            for (trace, written), failure in zip(batch, failures, strict=True):
                self._waiting.task_done()
                if failure is not None:
                    log.error("trace %s is lost: %s", trace.id, failure)
                if written.done():
                    continue
                if failure is None:
                    written.set_result(None)
                else:
                    written.set_exception(failure)
                    # Nobody may be waiting; the log has it.
                    written.exception()

    async def _write(self, traces: Sequence[Trace]) -> list[Exception | None]:
        """Write traces together; where that fails each goes its own way.

        Returns:
            For each the reason why it is not durable, if it is not.
        """
        try:
            await self._insert(traces, self._writer.add)
            return [None] * len(traces)
        except Exception as error:
            if _is_unfit(error) and len(traces) > 1:
                return [(await self._write([trace]))[0] for trace in traces]
            if not isinstance(error, AWAY):
                log.exception("traces cannot be written")
            reason = error
        log.warning("%d traces go to the spool: %s", len(traces), reason)
        return await asyncio.to_thread(self._keep, traces)

    def _keep(self, traces: Sequence[Trace]) -> list[Exception | None]:
        failures: list[Exception | None] = []
        for trace in traces:
            try:
                self._spool.write(trace)
                failures.append(None)
            except DormouseError as error:
                failures.append(error)
            except Exception as error:
                log.exception("trace %s cannot be spooled", trace.id)
                failures.append(StorageError(f"The spool cannot be written: {error}"))
        return failures

    async def _insert(
        self, traces: Sequence[Trace], add: Callable[[Sequence[Trace]], Awaitable[None]]
    ) -> None:
        if time.monotonic() < self._away_until:
            raise TimeoutError("the database was away a moment ago")
        writing = asyncio.ensure_future(add(traces))
        writing.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            # Not awaited once cancelled: a connection that hangs takes its time over that, too.
            await asyncio.wait([writing], timeout=WRITE_TIMEOUT_S)
            if not writing.done():
                raise TimeoutError(f"the database did not answer within {WRITE_TIMEOUT_S:g} s")
            writing.result()
        except Exception as error:
            if isinstance(error, AWAY) and not _is_unfit(error):
                self._away_until = time.monotonic() + AWAY_S
            raise
        finally:
            writing.cancel()

    async def _add_again(self, traces: Sequence[Trace]) -> None:
        async with self._sessions.begin() as session:
            late = LateStore(session)
            for trace in traces:
                if await late.is_late(trace):
                    log.info("spooled trace %s is dropped: its author was erased", trace.id)
                else:
                    await TraceStore(session).add(trace)

    async def _replay_for_ever(self) -> None:
        while True:
            try:
                await self.replay()
            except AWAY as error:
                log.info("the spool waits: %s", error)
            except Exception:
                log.exception("the spool cannot be replayed")
            await asyncio.sleep(REPLAY_INTERVAL_S)

    async def replay(self) -> int:
        """Move spooled traces into the database; a trace that is there already changes nothing.

        What an author said before he was erased is dropped.

        Returns:
            How many do not wait any more.
        """
        num_moved = 0
        for trace in self._spool.traces():
            try:
                await self._insert([trace], self._add_again)
            except Exception as error:
                if not _is_unfit(error):
                    raise
                log.error("spooled trace %s does not fit the database: %s", trace.id, error)
                self._spool.set_aside(trace)
                continue
            self._spool.remove(trace)
            num_moved += 1
        return num_moved


def _is_unfit(error: Exception) -> bool:
    """True if it is what was to be written that fails, now and whenever it is tried again."""
    if isinstance(error, DBAPIError):
        code = getattr(error.orig, "sqlstate", None) or ""
        return isinstance(error.orig, DataError) or code[:2] in REFUSALS
    return isinstance(error, (StatementError, TypeError))
