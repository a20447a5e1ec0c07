"""The days of the traces table: partitions made ahead of time, and dropped when they are old.

A trace's id is a UUIDv7, so a range of ids is a span of time. What was recorded before there were
partitions, and what was imported, is in `traces_before`; `traces_default` takes what has no day.
"""

from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import first_id

PREFIX = "traces_"
# Whoever waits for the lock stops all who come later: better to try again.
LOCK_TIMEOUT = "2s"
# One worker at a time.
ADVISORY_LOCK = 0x74726163
# Rows of one statement.
BATCH = 5000

_PARTITIONS = text(
    """
    SELECT child.relname FROM pg_inherits
    JOIN pg_class child ON child.oid = inhrelid
    WHERE inhparent = 'traces'::regclass ORDER BY child.relname
    """
)
# Evidence of a memory, and what a cycle has yet to look at, is kept beyond its time; so is what is
# left of an erased trace, or an import could bring it back. No cycle looks at what was said of an
# excluded trace.
_KEPT = """
    {name}.state IN ('queued', 'claimed', 'erased')
    OR EXISTS (SELECT FROM memory_evidence WHERE trace_id = {name}.id)
    OR {name}.state = 'consolidated' AND EXISTS (
        SELECT FROM signals WHERE trace_id = {name}.id AND state IN ('queued', 'claimed'))
"""


class TracePartitionStore:
    """SQL of the partitions. Each call that changes something needs a transaction of its own."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def days(self) -> list[date]:
        """The days that have a partition, oldest first."""
        names = await self._session.scalars(_PARTITIONS)
        suffixes = (name.removeprefix(PREFIX) for name in names)
        return [datetime.strptime(day, "%Y%m%d").date() for day in suffixes if day.isdigit()]

    async def add(self, day: date) -> bool:
        """Make a day's partition; False if it is there, or is being made.

        Traces of that day that came before it move in.
        """
        if not await self._lock() or day in await self.days():
            return False
        name, first, end = _name(day), _first_id(day), _first_id(day + timedelta(days=1))
        # Attached, not made as a partition: that would lock out everybody.
        await self._run(f"CREATE TABLE {name} (LIKE traces INCLUDING ALL)")
        await self._run(
            "WITH moved AS ("
            f"DELETE FROM traces_default WHERE id >= '{first}' AND id < '{end}' RETURNING *"
            f") INSERT INTO {name} SELECT * FROM moved"
        )
        await self._run(
            f"ALTER TABLE traces ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{end}')"
        )
        return True

    async def drop(self, day: date) -> None:
        """Drop a day with all that was said of it; what must be kept goes to `traces_default`."""
        if not await self._lock() or day not in await self.days():
            return
        name = _name(day)
        await self._run(f"ALTER TABLE traces DETACH PARTITION {name}")
        await self._run(
            f"INSERT INTO traces_default SELECT * FROM {name} WHERE {_KEPT.format(name=name)}"
        )
        for table in ("signals", "trace_decisions"):
            await self._run(
                f"DELETE FROM {table} USING {name} day WHERE trace_id = day.id "
                "AND NOT EXISTS (SELECT FROM traces_default kept WHERE kept.id = day.id)"
            )
        await self._run(f"DROP TABLE {name}")

    async def delete_undated(self, before: datetime) -> int:
        """Delete up to `BATCH` traces that lie in no day's partition and are older.

        Returns:
            How many there were.
        """
        num_deleted = 0
        for name in ("traces_before", "traces_default"):
            deleted = await self._session.scalars(
                text(
                    f"DELETE FROM {name} WHERE id IN (SELECT id FROM {name} "
                    f"WHERE created_at < :before AND NOT ({_KEPT.format(name=name)}) "
                    "LIMIT :batch) RETURNING id"
                ),
                {"before": before, "batch": BATCH - num_deleted},
            )
            trace_ids = list(deleted)
            num_deleted += len(trace_ids)
            for table in ("signals", "trace_decisions"):
                await self._session.execute(
                    text(f"DELETE FROM {table} WHERE trace_id = ANY(:ids)"), {"ids": trace_ids}
                )
        return num_deleted

    async def _lock(self) -> bool:
        await self._run(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        free: bool | None = await self._session.scalar(
            text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK}
        )
        return bool(free)

    async def _run(self, statement: str) -> None:
        await self._session.execute(text(statement))


def _name(day: date) -> str:
    return f"{PREFIX}{day:%Y%m%d}"


def _first_id(day: date) -> str:
    return str(first_id(datetime.combine(day, time.min, UTC)))
