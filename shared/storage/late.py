"""What somebody said before he was erased, and that comes in after it.

From a spool, a file, or a reply that ended late. Whoever brings it asks first; what a reply writes
nobody asks about, as each chat would pay for it: it is deleted within seconds, and no night reads
it.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.traces import Trace
from shared.db.tables import ErasedAuthorRow, SignalRow, TraceDecisionRow, TraceRow

_NOT_FETCHED = {"synchronize_session": False}


def came_late() -> ColumnElement[bool]:
    """Whether a trace that is there began before its author was erased."""
    return (
        select(ErasedAuthorRow.author)
        .where(
            ErasedAuthorRow.tenant_id == TraceRow.tenant_id,
            ErasedAuthorRow.author == TraceRow.author,
            ErasedAuthorRow.erased_at > TraceRow.created_at,
        )
        .exists()
    )


class LateStore:
    """SQL of what comes late."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def erased(self, tenant_id: UUID, authors: Iterable[str | None]) -> dict[str, datetime]:
        """Those of some authors who were erased, and when."""
        statement = select(ErasedAuthorRow.author, ErasedAuthorRow.erased_at).where(
            ErasedAuthorRow.tenant_id == tenant_id,
            ErasedAuthorRow.author.in_({author for author in authors if author}),
        )
        return {row.author: row.erased_at for row in await self._session.execute(statement)}

    async def is_late(self, trace: Trace) -> bool:
        """Whether a trace began before its author was erased."""
        erased = await self.erased(trace.tenant_id, [trace.author])
        return any(trace.created_at < at for at in erased.values())

    async def delete_all(self) -> list[UUID]:
        """Delete what came in late, of all tenants; not what a cycle holds.

        Returns:
            The traces' ids.
        """
        # Few were erased, and each has few traces: found by their index.
        late = (
            select(TraceRow.id)
            .join(
                ErasedAuthorRow,
                (ErasedAuthorRow.author == TraceRow.author)
                & (ErasedAuthorRow.tenant_id == TraceRow.tenant_id),
            )
            .where(
                TraceRow.created_at < ErasedAuthorRow.erased_at,
                TraceRow.state.in_(("queued", "excluded")),
            )
        )
        trace_ids = list(
            await self._session.scalars(
                delete(TraceRow).where(TraceRow.id.in_(late)).returning(TraceRow.id),
                execution_options=_NOT_FETCHED,
            )
        )
        for row in (SignalRow, TraceDecisionRow):
            await self._session.execute(
                delete(row).where(row.trace_id.in_(trace_ids)), execution_options=_NOT_FETCHED
            )
        return trace_ids
