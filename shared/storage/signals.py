"""Signals: what somebody said of a trace."""

import hashlib
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import new_id
from shared.contracts.traces import (
    Feedback,
    FeedbackRequest,
    ImplicitSource,
    Signal,
    SignalSource,
)
from shared.db.tables import SignalRow, TraceRow


def _content_sha256(content: FeedbackRequest) -> str:
    # Without the name, which could be guessed from its hash.
    said = content.model_dump_json(exclude={"user"})
    return hashlib.sha256(said.encode()).hexdigest()


def _queued(model_id: UUID, *trace_states: str) -> Select[UUID]:
    return (
        select(SignalRow.id)
        .join(TraceRow, TraceRow.id == SignalRow.trace_id)
        .where(
            TraceRow.model_id == model_id,
            TraceRow.state.in_(trace_states),
            SignalRow.state == "queued",
        )
    )


class SignalStore:
    """SQL of signals."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(
        self,
        tenant_id: UUID,
        content: FeedbackRequest,
        *,
        source: SignalSource,
        author: str | None = None,
        by_teacher: bool = False,
        idempotency_key: str | None = None,
    ) -> tuple[Feedback, bool]:
        """Record a signal, or find the one with the same idempotency key.

        Returns:
            The recorded signal, and whether its content is the same as what was given.
        """
        sha256 = _content_sha256(content)
        statement = insert(SignalRow).values(
            id=new_id(),
            tenant_id=tenant_id,
            source=source,
            idempotency_key=idempotency_key,
            content_sha256=sha256,
            author=author,
            by_teacher=by_teacher,
            **content.model_dump(exclude={"user"}),
        )
        added = await self._session.scalar(
            statement.on_conflict_do_nothing(
                index_elements=["tenant_id", "idempotency_key"]
            ).returning(SignalRow)
        )
        if added is None:
            added = (
                await self._session.scalars(
                    select(SignalRow).where(
                        SignalRow.tenant_id == tenant_id,
                        SignalRow.idempotency_key == idempotency_key,
                    )
                )
            ).one()
        feedback = Feedback.model_validate(added, from_attributes=True)
        return feedback, added.content_sha256 == sha256

    async def add_implied(
        self,
        tenant_id: UUID,
        cycle_id: UUID,
        trace_id: UUID,
        with_trace: UUID,
        source: ImplicitSource,
        comment: str,
    ) -> None:
        """Record what a cycle saw in the requests; once, however often it looks."""
        content = FeedbackRequest(trace_id=trace_id, comment=comment)
        statement = insert(SignalRow).values(
            id=new_id(),
            tenant_id=tenant_id,
            source=source,
            state="claimed",
            cycle_id=cycle_id,
            idempotency_key=f"{source} {trace_id} {with_trace}",
            content_sha256=_content_sha256(content),
            **content.model_dump(exclude={"user"}),
        )
        await self._session.execute(
            statement.on_conflict_do_nothing(index_elements=["tenant_id", "idempotency_key"])
        )

    async def claim(self, model_id: UUID, cycle_id: UUID) -> int:
        """Give the queued signals of the model's learnable traces to a cycle.

        Returns:
            How many the cycle holds now.
        """
        queued = _queued(model_id, "claimed", "consolidated").with_for_update(
            of=SignalRow, skip_locked=True
        )
        await self._session.execute(
            update(SignalRow)
            .where(SignalRow.id.in_(queued))
            .values(state="claimed", cycle_id=cycle_id)
        )
        return (
            await self._session.scalar(select(func.count()).where(SignalRow.cycle_id == cycle_id))
            or 0
        )

    async def count_late(self, model_id: UUID) -> int:
        """How many wait for a cycle though their trace does not."""
        late = _queued(model_id, "consolidated").subquery()
        return await self._session.scalar(select(func.count()).select_from(late)) or 0

    async def claimed(self, cycle_id: UUID) -> list[Signal]:
        """The cycle's signals, oldest first."""
        statement = select(SignalRow).where(SignalRow.cycle_id == cycle_id).order_by(SignalRow.id)
        return [
            Signal.model_validate(row, from_attributes=True)
            for row in await self._session.scalars(statement)
        ]

    async def of_traces(self, trace_ids: Sequence[UUID]) -> list[Signal]:
        """What was said of some traces, oldest first."""
        statement = select(SignalRow).where(SignalRow.trace_id.in_(trace_ids))
        found = await self._session.scalars(statement.order_by(SignalRow.id))
        return [Signal.model_validate(row) for row in found]

    async def settle(self, cycle_id: UUID) -> None:
        """The cycle's signals are consolidated."""
        await self._session.execute(
            update(SignalRow).where(SignalRow.cycle_id == cycle_id).values(state="consolidated")
        )

    async def release(self, cycle_id: UUID) -> None:
        """The cycle's signals return to the queue."""
        await self._session.execute(
            update(SignalRow)
            .where(SignalRow.cycle_id == cycle_id, SignalRow.state == "claimed")
            .values(state="queued", cycle_id=None)
        )
