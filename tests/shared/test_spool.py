"""Traces while PostgreSQL is away: fsynced, bounded, replayed once."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from psycopg.errors import ProgramLimitExceeded
from pydantic import SecretStr
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from api.chat.recorder import TraceRecorder
from shared.contracts.traces import Trace
from shared.db.session import Sessions, create_engine, create_sessions
from shared.db.tables import TraceRow
from shared.errors import StorageError
from shared.settings import Settings
from shared.storage.models import ModelStore
from shared.storage.spool import TraceSpool
from shared.storage.tenants import TenantStore
from shared.storage.trace_writer import TraceWriter
from shared.storage.traces import TraceStore
from tests.fakes.traces import make_trace


@pytest.fixture
async def model(sessions: Sessions) -> tuple[UUID, UUID]:
    async with sessions.begin() as session:
        tenant_id = await TenantStore(session).ensure_tenant("default")
        route = await ModelStore(session).route(tenant_id, "default")
    assert route is not None
    return tenant_id, route.model_id


async def count(sessions: Sessions) -> int:
    async with sessions.begin() as session:
        return await session.scalar(select(func.count()).select_from(TraceRow)) or 0


async def test_a_trace_waits_in_the_spool_and_is_replayed_exactly_once(
    settings: Settings, sessions: Sessions, model: tuple[UUID, UUID], tmp_path: Path
) -> None:
    nowhere = SecretStr("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    away = settings.model_copy(update={"database_url": nowhere})
    closed = create_sessions(create_engine(away, pooled=False))
    spool = TraceSpool(tmp_path / "spool", 10**6)
    trace = make_trace("hello", tenant_id=model[0], model_id=model[1])
    async with TraceRecorder(closed, spool) as recorder:
        await recorder.record(trace)
    assert len(spool) == 1
    assert await count(sessions) == 0

    recorder = TraceRecorder(sessions, spool)
    assert await recorder.replay() == 1
    assert len(spool) == 0
    async with recorder:
        await recorder.record(trace)
    assert await recorder.replay() == 0
    assert await count(sessions) == 1


async def test_a_crash_between_insert_and_removal_writes_no_second_trace(
    sessions: Sessions, model: tuple[UUID, UUID], tmp_path: Path
) -> None:
    spool = TraceSpool(tmp_path / "spool", 10**6)
    trace = make_trace("hello", tenant_id=model[0], model_id=model[1])
    recorder = TraceRecorder(sessions, spool)
    async with recorder:
        await recorder.record(trace)
    spool.write(trace)
    assert await recorder.replay() == 1
    assert await count(sessions) == 1


async def test_replies_that_end_together_share_transactions(
    sessions: Sessions,
    model: tuple[UUID, UUID],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes: list[int] = []
    add = TraceWriter.add

    async def counted(writer: TraceWriter, traces: Sequence[Trace]) -> None:
        sizes.append(len(traces))
        await add(writer, traces)

    monkeypatch.setattr(TraceWriter, "add", counted)
    traces = [make_trace("hello", tenant_id=model[0], model_id=model[1]) for _ in range(100)]
    async with TraceRecorder(sessions, TraceSpool(tmp_path, 10**6)) as recorder:
        await asyncio.gather(*(recorder.record(trace) for trace in traces))
        assert await count(sessions) == 100
    assert sum(sizes) == 100
    assert len(sizes) <= 3


async def test_a_trace_that_does_not_fit_the_database_takes_no_other_with_it(
    sessions: Sessions, model: tuple[UUID, UUID], tmp_path: Path
) -> None:
    spool = TraceSpool(tmp_path, 10**6)
    traces = [
        make_trace("hi", tenant_id=model[0], model_id=model[1], prompt_token_ids=[token])
        for token in (1, 2, 2**40, 3, 4)
    ]
    deep: list[Any] = []
    for _ in range(251):
        deep = [deep]
    # The spool can write it, a row cannot.
    traces[1].request["deep"] = deep
    recorder = TraceRecorder(sessions, spool)
    async with recorder:
        await asyncio.gather(*(recorder.record(trace) for trace in traces))
    assert await count(sessions) == 3
    await recorder.replay()
    assert len(spool) == 0
    assert spool.num_set_aside == 2


async def test_traces_that_are_too_much_at_once_are_written_one_by_one(
    sessions: Sessions,
    model: tuple[UUID, UUID],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add = TraceWriter.add

    async def limited(writer: TraceWriter, traces: Sequence[Trace]) -> None:
        if len(traces) > 1:
            # As psycopg raises it for a JSON array of 256 MiB.
            raise OperationalError("INSERT", {}, ProgramLimitExceeded())
        await add(writer, traces)

    monkeypatch.setattr(TraceWriter, "add", limited)
    spool = TraceSpool(tmp_path, 10**6)
    traces = [make_trace("hi", tenant_id=model[0], model_id=model[1]) for _ in range(5)]
    async with TraceRecorder(sessions, spool) as recorder:
        await asyncio.gather(*(recorder.record(trace) for trace in traces))
    assert await count(sessions) == 5
    assert len(spool) == 0


async def test_what_is_recorded_as_the_process_ends_or_the_client_leaves_is_written(
    sessions: Sessions, model: tuple[UUID, UUID], tmp_path: Path
) -> None:
    first, second = (make_trace("hi", tenant_id=model[0], model_id=model[1]) for _ in range(2))
    async with TraceRecorder(sessions, TraceSpool(tmp_path, 10**6)) as recorder:
        waiting = asyncio.create_task(recorder.record(first))
        await asyncio.sleep(0)
        waiting.cancel()
        recorder.record_late(second)
    assert await count(sessions) == 2


async def test_a_database_that_hangs_is_waited_for_once_and_asked_again_later(
    sessions: Sessions,
    model: tuple[UUID, UUID],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    num_tried = 0
    add = TraceWriter.add

    async def hangs(writer: TraceWriter, traces: Sequence[Trace]) -> None:
        nonlocal num_tried
        num_tried += 1
        await asyncio.sleep(3600)

    monkeypatch.setattr(TraceWriter, "add", hangs)
    monkeypatch.setattr("api.chat.recorder.WRITE_TIMEOUT_S", 0.1)
    monkeypatch.setattr("api.chat.recorder.AWAY_S", 0.5)
    spool = TraceSpool(tmp_path, 10**6)
    async with TraceRecorder(sessions, spool) as recorder:
        for _ in range(3):
            await recorder.record(make_trace("hi", tenant_id=model[0], model_id=model[1]))
        assert num_tried == 1
        assert len(spool) == 3
        monkeypatch.setattr(TraceWriter, "add", add)
        monkeypatch.setattr("api.chat.recorder.WRITE_TIMEOUT_S", 30.0)
        await asyncio.sleep(0.6)
        await recorder.record(make_trace("hi", tenant_id=model[0], model_id=model[1]))
    await recorder.replay()
    assert await count(sessions) == 4


async def test_a_database_that_only_reads_for_a_while_costs_no_trace(
    sessions: Sessions, model: tuple[UUID, UUID], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = TraceSpool(tmp_path, 10**6)
    add = TraceStore.add

    async def refuse(self: TraceStore, *traces: Trace) -> None:
        for name in ("default_transaction_read_only", "transaction_read_only"):
            await self._session.execute(text(f"SET {name} = on"))
        await add(self, *traces)

    execute = TraceWriter._execute

    async def only_read(self: TraceWriter, traces: Sequence[Trace]) -> None:
        self._connection = await self._database.connect()
        await self._connection.execute(text("SET default_transaction_read_only = on"))
        await execute(self, traces)

    monkeypatch.setattr(TraceStore, "add", refuse)
    monkeypatch.setattr(TraceWriter, "_execute", only_read)
    monkeypatch.setattr("api.chat.recorder.AWAY_S", 0.0)
    async with TraceRecorder(sessions, spool) as recorder:
        await recorder.record(make_trace("hi", tenant_id=model[0], model_id=model[1]))
        with pytest.raises(DBAPIError, match="read-only"):
            await recorder.replay()
    assert (len(spool), spool.num_set_aside) == (1, 0)
    monkeypatch.setattr(TraceStore, "add", add)
    recorder = TraceRecorder(sessions, spool)
    assert await recorder.replay() == 1
    assert await count(sessions) == 1


async def test_a_connection_that_hangs_even_when_it_is_cancelled_holds_no_reply_back(
    sessions: Sessions, model: tuple[UUID, UUID], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = asyncio.Event()

    async def hang(self: TraceWriter, traces: Sequence[Trace]) -> None:
        while not let_go.is_set():
            with suppress(asyncio.CancelledError):
                await let_go.wait()

    monkeypatch.setattr(TraceWriter, "add", hang)
    monkeypatch.setattr("api.chat.recorder.WRITE_TIMEOUT_S", 0.1)
    spool = TraceSpool(tmp_path, 10**6)
    async with TraceRecorder(sessions, spool) as recorder:
        trace = make_trace("hi", tenant_id=model[0], model_id=model[1])
        await asyncio.wait_for(recorder.record(trace), timeout=5)
        assert len(spool) == 1
        let_go.set()


async def test_a_nul_that_a_model_wrote_costs_no_trace_and_a_broken_file_no_other(
    sessions: Sessions, model: tuple[UUID, UUID], tmp_path: Path
) -> None:
    spool = TraceSpool(tmp_path, 10**6)
    (tmp_path / "0.trace.json").write_text('{"id": 1}')
    async with TraceRecorder(sessions, spool) as recorder:
        said = make_trace("hi", "a\x00b", tenant_id=model[0], model_id=model[1])
        await recorder.record(said)
        spool.write(make_trace("hi", tenant_id=model[0], model_id=model[1]))
        await recorder.replay()
    assert (len(spool), spool.num_set_aside) == (0, 1)
    async with sessions.begin() as session:
        kept = await TraceStore(session).get(model[0], said.id)
    assert kept is not None
    assert kept.reply_text == "ab"


async def test_a_spool_that_fails_costs_its_trace_and_not_the_writer(
    sessions: Sessions,
    model: tuple[UUID, UUID],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spool = TraceSpool(tmp_path, 10**6)
    add = TraceWriter.add

    async def fails(writer: TraceWriter, traces: Sequence[Trace]) -> None:
        raise ValueError("not a trace")

    def breaks(trace: Trace) -> None:
        raise FileNotFoundError("replayed meanwhile")

    monkeypatch.setattr(TraceWriter, "add", fails)
    monkeypatch.setattr(spool, "write", breaks)
    traces = [make_trace("hi", tenant_id=model[0], model_id=model[1]) for _ in range(2)]
    async with TraceRecorder(sessions, spool) as recorder:
        with pytest.raises(StorageError, match="replayed meanwhile"):
            await recorder.record(traces[0])
        monkeypatch.setattr(TraceWriter, "add", add)
        await recorder.record(traces[1])
    assert await count(sessions) == 1


def test_a_full_spool_refuses_with_a_clear_error(tmp_path: Path) -> None:
    spool = TraceSpool(tmp_path / "spool", 10)
    with pytest.raises(StorageError, match="DORMOUSE_SPOOL_MAX_BYTES"):
        spool.write(make_trace("hello"))
    assert len(spool) == 0


def test_a_spool_that_is_full_takes_more_once_some_was_replayed(tmp_path: Path) -> None:
    first, second = make_trace("hello"), make_trace("hello")
    spool = TraceSpool(tmp_path, len(first.model_dump_json()) + 10)
    spool.write(first)
    with pytest.raises(StorageError):
        spool.write(second)
    TraceSpool(tmp_path, 0).remove(first)
    spool.write(second)
    assert [trace.id for trace in spool.traces()] == [second.id]


def test_half_written_files_are_no_traces(tmp_path: Path) -> None:
    spool = TraceSpool(tmp_path, 10**6)
    spool.write(make_trace("hello"))
    (tmp_path / "x.partial").write_text('{"id":')
    assert len(list(spool.traces())) == 1


async def test_a_connection_that_died_while_nobody_wrote_costs_no_trace(
    sessions: Sessions, model: tuple[UUID, UUID], tmp_path: Path
) -> None:
    spool = TraceSpool(tmp_path, 10**6)
    async with TraceRecorder(sessions, spool) as recorder:
        for _ in range(2):
            await recorder.record(make_trace("hi", tenant_id=model[0], model_id=model[1]))
            async with sessions.begin() as session:
                others = "pid <> pg_backend_pid() AND datname = current_database()"
                await session.execute(
                    text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
                )
        await recorder.record(make_trace("hi", tenant_id=model[0], model_id=model[1]))
    assert await count(sessions) == 3
    assert len(spool) == 0
