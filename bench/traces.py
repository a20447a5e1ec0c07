"""Many traces: how fast they are written, claimed and found again, at one and ten million.

The table is filled by PostgreSQL itself with conversations of the usual size, over thirty days;
then the same calls
that the API and a sleep cycle make are timed, one at a time, each in a transaction of its own.
"""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Annotated, Any
from uuid import UUID

import typer
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from api.services import DEFAULT, provision
from bench.report import console, save, show
from cli.home import Home
from cli.stack import LocalStack
from shared.contracts.base import new_id
from shared.contracts.traces import Trace
from shared.db.session import create_engine, create_sessions
from shared.settings import Settings
from shared.storage.cycles import SleepCycleStore
from shared.storage.models import ModelStore
from shared.storage.partitions import TracePartitionStore
from shared.storage.tenants import TenantStore
from shared.storage.trace_writer import TraceWriter
from shared.storage.traces import TraceStore

NUM_CLAIMED = 500
# Rows of one filling statement, and of one transaction of the recorder.
FILL = 100_000
BATCH = 64
INSERT_S = 10.0
NUM_TIMES = 20
NUM_DAYS = 30

# One conversation of a few hundred words, another in each row; all but the newest are consolidated.
# The days are those to come, as today's partition already holds all before.
FILLING = text(
    """
    INSERT INTO traces (id, tenant_id, model_id, session_id, status, store, state, request, reply,
                        prompt_token_ids, token_ids, usage, timing, thread_sha256, created_at)
    SELECT uuidv7(CAST(:shift AS interval)), :tenant_id, :model_id, 'session-' || (n / 4),
           'complete', true,
           CASE WHEN n >= :num_old THEN 'queued' ELSE 'consolidated' END,
           jsonb_build_object('messages', jsonb_build_array(
               jsonb_build_object('role', 'user', 'content', repeat(md5(n::text) || ' ', 8)))),
           jsonb_build_object('choices', jsonb_build_array(jsonb_build_object('index', 0,
               'message', jsonb_build_object('role', 'assistant', 'content',
                                             repeat(md5((n + 1)::text) || ' ', 8))))),
           array_fill(n % 40000, ARRAY[60]), jsonb_build_array(to_jsonb(array_fill(7, ARRAY[60]))),
           '{"total_tokens": 120}', '{"total_s": 1.5}', md5(n::text) || md5((n + 7)::text),
           now() + CAST(:shift AS interval)
    FROM generate_series(CAST(:first AS integer), :first + :num_rows - 1) AS n
    """
)


class TraceTable:
    """The table, and what is done with it.

    Args:
        database: PostgreSQL.
        tenant_id: Whose traces.
        model_id: Of which model.
    """

    def __init__(self, database: AsyncEngine, tenant_id: UUID, model_id: UUID) -> None:
        self._database = database
        self._sessions = create_sessions(database)
        self._tenant_id = tenant_id
        self._model_id = model_id
        self._num_rows = 0

    async def fill(self, num_rows: int) -> None:
        """Fill up to so many rows; the newest `FILL` of them are queued."""
        async with self._sessions.begin() as session:
            await session.execute(
                text("UPDATE traces SET state = 'consolidated' WHERE state = 'queued'")
            )
        while self._num_rows < num_rows:
            values = {"tenant_id": self._tenant_id, "model_id": self._model_id, "num_rows": FILL}
            day = 1 + self._num_rows // FILL % NUM_DAYS
            more = {"first": self._num_rows, "num_old": num_rows - FILL, "shift": f"{day} days"}
            async with self._sessions.begin() as session:
                await session.execute(FILLING, {**values, **more})
            self._num_rows += FILL
            if self._num_rows % (10 * FILL) < FILL:
                console.print(f"[dim]{self._num_rows:,} rows[/]")
        # As autovacuum would; it may not run within a transaction.
        async with self._database.connect() as connection:
            options = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await options.execute(text("VACUUM ANALYZE traces"))

    async def inserts_per_s(self) -> float:
        """Traces per second, written as the recorder writes them, one batch at a time."""
        writer = TraceWriter(self._database)
        began = time.monotonic()
        num_written = 0
        while time.monotonic() - began < INSERT_S:
            batch = [self._trace() for _ in range(BATCH)]
            await writer.add(batch)
            num_written += BATCH
        await writer.close()
        self._num_rows += num_written
        return num_written / (time.monotonic() - began)

    async def claim_ms(self) -> float:
        """Median of claiming `NUM_CLAIMED` queued traces; they return to the queue."""
        times = []
        for _ in range(NUM_TIMES):
            async with self._sessions() as session:
                cycle_id = await SleepCycleStore(session).add(
                    model_id=self._model_id, trigger="bench", reason=None, requested_by=None
                )
                began = time.monotonic()
                claimed = await TraceStore(session).claim(self._model_id, cycle_id, NUM_CLAIMED)
                times.append(time.monotonic() - began)
                await session.rollback()
            if claimed != NUM_CLAIMED:
                raise SystemExit(f"{claimed} traces were claimed, not {NUM_CLAIMED}")
        return 1000 * median(times)

    async def lookups_ms(self) -> dict[str, float]:
        """Medians of what a chat and an operator look up."""
        async with self._sessions.begin() as session:
            rows = await session.execute(
                text(
                    "SELECT id, session_id, thread_sha256 FROM traces "
                    "TABLESAMPLE SYSTEM_ROWS (:n) ORDER BY random() LIMIT :n"
                ),
                {"n": NUM_TIMES},
            )
            known = list(rows)

        async def timed(call: Callable[[TraceStore, Any], Awaitable[Any]]) -> float:
            times = []
            for row in known:
                async with self._sessions.begin() as session:
                    began = time.monotonic()
                    found = await call(TraceStore(session), row)
                    times.append(time.monotonic() - began)
                if not found:
                    raise SystemExit(f"trace {row.id} was not found")
            return 1000 * median(times)

        model_id = self._model_id
        return {
            "by id": await timed(lambda store, row: store.get(self._tenant_id, row.id)),
            "by thread": await timed(
                lambda store, row: store.latest(
                    model_id, row.author or "", thread_sha256=row.thread_sha256
                )
            ),
            "by session": await timed(
                lambda store, row: store.latest(
                    model_id, row.author or "", session_id=row.session_id
                )
            ),
            "page of 100": await timed(
                lambda store, row: store.page(
                    model_id, after=row.id, since=None, until=None, limit=100
                )
            ),
        }

    def _trace(self) -> Trace:
        said = f"{new_id()} " * 8
        choice = {"index": 0, "message": {"role": "assistant", "content": said}}
        return Trace(
            id=new_id(),
            tenant_id=self._tenant_id,
            model_id=self._model_id,
            session_id=new_id().hex,
            status="complete",
            request={"messages": [{"role": "user", "content": said}]},
            reply={"choices": [choice]},
            prompt_token_ids=list(range(60)),
            token_ids=[list(range(60))],
            usage={"total_tokens": 120},
            timing={"total_s": 1.5},
            thread_sha256=new_id().hex * 2,
            created_at=datetime.now(UTC),
        )


async def _measure(stack: LocalStack, sizes: list[int]) -> list[dict[str, Any]]:
    settings = Settings(
        database_url=SecretStr(stack.env["DORMOUSE_DATABASE_URL"]), api_key=None, admin_key=None
    )
    database = create_engine(settings, pooled=True)
    sessions = create_sessions(database)
    await provision(settings, sessions)
    for ahead in range(1, NUM_DAYS + 1):
        async with sessions.begin() as session:
            await TracePartitionStore(session).add(datetime.now(UTC).date() + timedelta(ahead))
    async with sessions.begin() as session:
        await session.execute(text("CREATE EXTENSION IF NOT EXISTS tsm_system_rows"))
        tenant_id = await TenantStore(session).ensure_tenant(DEFAULT)
        route = await ModelStore(session).route(tenant_id, DEFAULT)
    assert route is not None
    table = TraceTable(database, tenant_id, route.model_id)
    figures = []
    for size in sizes:
        began = time.monotonic()
        await table.fill(size)
        async with sessions.begin() as session:
            num_bytes = await session.scalar(
                text("SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('traces')")
            )
        figures.append(
            {
                "rows": size,
                "gigabytes": round(int(num_bytes or 0) / 1e9, 2),
                "filled_s": round(time.monotonic() - began),
                "inserts_per_s": round(await table.inserts_per_s()),
                "claim_ms": round(await table.claim_ms(), 1),
                **{name: round(ms, 2) for name, ms in (await table.lookups_ms()).items()},
            }
        )
    await database.dispose()
    return figures


def main(
    rows: Annotated[
        list[int] | None, typer.Option(help=f"Sizes to measure at, multiples of {FILL:,}.")
    ] = None,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the figures.")] = None,
) -> None:
    """Fill the table and time what is done with it; ten million rows take 20 GB of disk."""
    sizes = sorted(rows or [1_000_000, 10_000_000])
    if any(size <= 0 or size % FILL for size in sizes):
        raise typer.BadParameter(f"--rows: multiples of {FILL:,}")
    place = Home.at(None, None).path / "bench-traces"
    shutil.rmtree(place, ignore_errors=True)
    with LocalStack(place, only=("postgres", "migrations")) as stack:
        stack.start()
        figures = asyncio.run(_measure(stack, sizes))
    columns = list(figures[0])
    show(
        f"traces (claim of {NUM_CLAIMED}; times in milliseconds, medians of {NUM_TIMES})",
        columns,
        [[f"{item['rows']:,}", *(item[name] for name in columns[1:])] for item in figures],
    )
    save(json_path, {"figures": figures})


if __name__ == "__main__":
    typer.run(main)
