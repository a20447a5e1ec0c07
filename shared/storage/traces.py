"""Traces, and their place in consolidation."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Table, bindparam, column, func, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB, Insert, insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.archive import TraceRecord
from shared.contracts.base import first_id
from shared.contracts.memories import TraceDecision
from shared.contracts.traces import Signal, Trace
from shared.db.tables import MemoryEvidenceRow, SignalRow, SleepCycleRow, TraceDecisionRow, TraceRow
from shared.storage.late import came_late

MAX_SAME_WAY = 100
TRACES = cast(Table, TraceRow.__table__)


def _trace(row: TraceRow) -> Trace:
    return Trace.model_validate(row, from_attributes=True)


def _values(trace: Trace) -> dict[str, Any]:
    learnable = trace.store and trace.status == "complete"
    ids = trace.prompt_token_ids
    # Written as PostgreSQL writes an array: JSON's numbers take it four times as long.
    array = None if ids is None else "{" + orjson.dumps(ids)[1:-1].decode() + "}"
    return {
        **vars(trace),
        "prompt_token_ids": array,
        "state": "queued" if learnable else "excluded",
    }


def _adding() -> Insert:
    """Of any number of traces, given as one JSON array: PostgreSQL takes it apart much faster than
    a driver binds each field of each row.
    """
    fields = [*Trace.model_fields, "state"]
    rows = (
        func.jsonb_to_recordset(bindparam("traces", type_=JSONB))
        .table_valued(*(column(name, TRACES.c[name].type) for name in fields))
        .render_derived(name="added", with_types=True)
    )
    return insert(TRACES).from_select(fields, select(rows)).on_conflict_do_nothing()


ADDING = _adding()


def rows_of(traces: Sequence[Trace]) -> dict[str, Any]:
    """The parameters of `ADDING`."""
    return {"traces": [_values(trace) for trace in traces]}


class TraceStore:
    """SQL of traces."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, *traces: Trace) -> None:
        """Record traces; a second write of the same id changes nothing."""
        await self._session.execute(ADDING, rows_of(traces))

    async def add_new(self, traces: Sequence[Trace]) -> set[UUID]:
        """As `add`; returns the ids of those that were not there."""
        return set(await self._session.scalars(ADDING.returning(TRACES.c.id), rows_of(traces)))

    async def get(self, tenant_id: UUID, trace_id: UUID, *, lock: bool = False) -> Trace | None:
        """A trace of this tenant that is not erased, and on demand is not while this goes on."""
        statement = select(TraceRow).where(
            TraceRow.id == trace_id, TraceRow.tenant_id == tenant_id, TraceRow.state != "erased"
        )
        row = await self._session.scalar(
            statement.with_for_update(read=True) if lock else statement
        )
        return _trace(row) if row else None

    async def model_of(self, tenant_id: UUID, trace_id: UUID) -> UUID | None:
        """The model of a trace of this tenant, erased or not."""
        return await self._session.scalar(
            select(TraceRow.model_id).where(
                TraceRow.id == trace_id, TraceRow.tenant_id == tenant_id
            )
        )

    async def record(self, tenant_id: UUID, trace_id: UUID) -> TraceRecord | None:
        """A trace of this tenant with what was said of it and what became of it."""
        row = await self._session.scalar(
            select(TraceRow).where(TraceRow.id == trace_id, TraceRow.tenant_id == tenant_id)
        )
        if row is None:
            return None
        signals = select(SignalRow).where(SignalRow.trace_id == trace_id).order_by(SignalRow.id)
        decisions = (
            select(TraceDecisionRow)
            .where(TraceDecisionRow.trace_id == trace_id)
            .order_by(TraceDecisionRow.cycle_id)
        )
        memory_ids = (
            select(MemoryEvidenceRow.memory_id)
            .where(MemoryEvidenceRow.trace_id == trace_id)
            .order_by(MemoryEvidenceRow.memory_id)
        )
        return TraceRecord(
            trace=_trace(row),
            state=row.state,
            signals=[Signal.model_validate(each) for each in await self._session.scalars(signals)],
            decisions=[
                TraceDecision.model_validate(each)
                for each in await self._session.scalars(decisions)
            ],
            memory_ids=list(await self._session.scalars(memory_ids)),
        )

    async def page(
        self,
        model_id: UUID,
        *,
        after: UUID | None,
        since: datetime | None,
        until: datetime | None,
        limit: int,
    ) -> list[Trace]:
        """Complete exchanges of a model with ids behind `after`, oldest first."""
        statement = select(TraceRow).where(
            TraceRow.model_id == model_id,
            TraceRow.status == "complete",
            TraceRow.state != "erased",
        )
        if after is not None:
            statement = statement.where(TraceRow.id > after)
        if since is not None:
            statement = statement.where(TraceRow.created_at >= since)
        if until is not None:
            statement = statement.where(TraceRow.created_at < until)
        found = await self._session.scalars(statement.order_by(TraceRow.id).limit(limit))
        return [_trace(row) for row in found]

    async def latest(
        self,
        model_id: UUID,
        author: str,
        *,
        thread_sha256: str | None = None,
        session_id: str | None = None,
    ) -> tuple[UUID, str] | None:
        """An author's newest trace that ended in this thread or belongs to this session.

        Returns:
            Its id and its session.
        """
        statement = select(TraceRow.id, TraceRow.session_id).where(
            TraceRow.model_id == model_id, TraceRow.author == author
        )
        if thread_sha256 is not None:
            statement = statement.where(TraceRow.thread_sha256 == thread_sha256)
        if session_id is not None:
            statement = statement.where(TraceRow.session_id == session_id)
        found = (
            await self._session.execute(statement.order_by(TraceRow.id.desc()).limit(1))
        ).first()
        return (found[0], found[1]) if found else None

    async def claim(self, model_id: UUID, cycle_id: UUID, limit: int) -> int:
        """Give up to `limit` queued traces to a cycle, oldest first.

        Returns:
            How many the cycle holds now, those of an earlier attempt among them.
        """
        queued = (
            select(TraceRow.id)
            .where(TraceRow.model_id == model_id, TraceRow.state == "queued", ~came_late())
            # Not by id: then the planner walks the primary key through all that is consolidated.
            .order_by(TraceRow.created_at, TraceRow.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        await self._session.execute(
            update(TraceRow)
            .where(TraceRow.id.in_(queued))
            .values(state="claimed", cycle_id=cycle_id)
        )
        return (
            await self._session.scalar(select(func.count()).where(TraceRow.cycle_id == cycle_id))
            or 0
        )

    async def claimed(self, cycle_id: UUID) -> list[Trace]:
        """The cycle's own traces, oldest first."""
        return await self._load(TraceRow.cycle_id == cycle_id)

    async def context(self, cycle_id: UUID) -> list[Trace]:
        """Traces of earlier cycles that this one must see to understand its own, oldest first.

        Those that its signals speak of, and those that came just before its own.
        """
        spoken_of = select(SignalRow.trace_id).where(SignalRow.cycle_id == cycle_id)
        before = select(TraceRow.parent_id).where(TraceRow.cycle_id == cycle_id)
        model_id = select(SleepCycleRow.model_id).where(SleepCycleRow.id == cycle_id)
        return await self._load(
            # What was imported may name anything as the turn before.
            TraceRow.model_id == model_id.scalar_subquery(),
            or_(TraceRow.id.in_(spoken_of), TraceRow.id.in_(before)),
            TraceRow.cycle_id.is_distinct_from(cycle_id),
            TraceRow.state.not_in(("excluded", "erased")),
        )

    async def same_way(self, model_id: UUID, ways: Collection[str], since: datetime) -> list[Trace]:
        """Settled traces since then in which an agent went one of these ways, oldest first.

        At most `MAX_SAME_WAY`, the newest; none that somebody rated down or took back.
        """
        disliked = select(SignalRow.trace_id).where(
            SignalRow.trace_id == TraceRow.id,
            or_(SignalRow.rating < 0, SignalRow.source.in_(("edited", "regenerated"))),
        )
        went = select(TraceDecisionRow.trace_id).where(
            TraceDecisionRow.way.in_(ways), TraceDecisionRow.trace_id >= first_id(since)
        )
        newest = (
            select(TraceRow)
            .where(
                TraceRow.id.in_(went),
                TraceRow.model_id == model_id,
                TraceRow.state == "consolidated",
                ~disliked.exists(),
            )
            .order_by(TraceRow.id.desc())
            .limit(MAX_SAME_WAY)
        )
        return [_trace(row) for row in reversed((await self._session.scalars(newest)).all())]

    async def _load(self, *conditions: ColumnElement[bool]) -> list[Trace]:
        statement = select(TraceRow).where(*conditions).order_by(TraceRow.id)
        return [_trace(row) for row in await self._session.scalars(statement)]

    async def settle(self, cycle_id: UUID) -> None:
        """The cycle's traces are consolidated: no later cycle takes them."""
        await self._session.execute(
            update(TraceRow).where(TraceRow.cycle_id == cycle_id).values(state="consolidated")
        )

    async def release(self, cycle_id: UUID) -> None:
        """The cycle's traces return to the queue."""
        await self._session.execute(
            update(TraceRow)
            .where(TraceRow.cycle_id == cycle_id, TraceRow.state == "claimed")
            .values(state="queued", cycle_id=None)
        )

    async def add_decisions(self, cycle_id: UUID, decisions: Sequence[TraceDecision]) -> None:
        """Write why each trace was kept or not; a repeated stage changes nothing."""
        if decisions:
            rows = [{**decision.model_dump(), "cycle_id": cycle_id} for decision in decisions]
            # Row by row: the parameters of one statement are limited, and a batch is not.
            await self._session.execute(insert(TraceDecisionRow).on_conflict_do_nothing(), rows)

    async def count_queued(self, model_id: UUID, at_most: int) -> int:
        """How many traces wait for a cycle; more than `at_most` are not counted."""
        queued = select(TraceRow.id).where(
            TraceRow.model_id == model_id, TraceRow.state == "queued"
        )
        counted = select(func.count()).select_from(queued.limit(at_most).subquery())
        return await self._session.scalar(counted) or 0

    async def last_chat_at(self, model_id: UUID, since: datetime) -> datetime | None:
        """When the newest trace began, of those that wait for a cycle or that began `since`.

        Among all traces it could not be found without walking through other models'.
        """
        mine = select(func.max(TraceRow.created_at)).where(TraceRow.model_id == model_id)
        queued = await self._session.scalar(mine.where(TraceRow.state == "queued"))
        recent = await self._session.scalar(mine.where(TraceRow.id >= first_id(since)))
        return max((at for at in (queued, recent) if at is not None), default=None)
