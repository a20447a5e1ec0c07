"""What came of one author's words, on all models of a tenant, and the forgetting of who he is."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    delete,
    func,
    literal,
    null,
    or_,
    select,
    union,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.tables import (
    ErasedAuthorRow,
    MemoryEvidenceRow,
    MemoryRow,
    ModelRow,
    SignalRow,
    TraceDecisionRow,
    TraceRow,
)

_NOT_FETCHED = {"synchronize_session": False}


class AuthorStore:
    """SQL of an author.

    Args:
        session: The transaction; with what writes, his models are locked and no cycle is active.
        tenant_id: The tenant.
        authors: The hashes by which he is known.
    """

    def __init__(self, session: AsyncSession, tenant_id: UUID, authors: Sequence[str]) -> None:
        self._session = session
        self._tenant_id = tenant_id
        self._authors = authors

    async def refuse(self) -> datetime:
        """From now on nothing that he said before is let in.

        Returns:
            The moment.
        """
        statement = insert(ErasedAuthorRow).values(
            [
                {
                    "tenant_id": self._tenant_id,
                    "author": author,
                    "erased_at": func.clock_timestamp(),
                }
                for author in self._authors
            ]
        )
        moments = await self._session.scalars(
            statement.on_conflict_do_update(
                index_elements=["tenant_id", "author"],
                set_={"erased_at": statement.excluded.erased_at},
            ).returning(ErasedAuthorRow.erased_at),
            execution_options={"populate_existing": True},
        )
        return max(moments)

    async def was_erased(self) -> bool:
        """Whether he was, some time."""
        statement = select(ErasedAuthorRow.author).where(
            ErasedAuthorRow.tenant_id == self._tenant_id, ErasedAuthorRow.author.in_(self._authors)
        )
        return bool(await self._session.scalar(select(statement.exists())))

    async def model_ids(self) -> list[UUID]:
        """The models that he spoke to or gave feedback on, in the order of their ids."""
        spoke_to = select(TraceRow.model_id).where(self._is_his_trace())
        spoke_of = (
            select(TraceRow.model_id)
            .join(SignalRow, SignalRow.trace_id == TraceRow.id)
            .where(self._is_his_signal())
        )
        learned = select(MemoryRow.model_id).where(self._is_tenants(), self._is_known_by())
        found = union(spoke_to, spoke_of, learned).subquery()
        return list(await self._session.scalars(select(found.c.model_id).order_by("model_id")))

    async def traces(self, model_id: UUID) -> tuple[list[UUID], list[UUID]]:
        """His traces that hold his words, oldest first, and those that are empty already."""
        statement = select(TraceRow.id, TraceRow.state).where(
            TraceRow.model_id == model_id, self._is_his_trace()
        )
        found = (await self._session.execute(statement.order_by(TraceRow.id))).all()
        empty = [row.id for row in found if row.state == "erased"]
        return [row.id for row in found if row.state != "erased"], empty

    async def memory_ids(self, model_id: UUID) -> list[UUID]:
        """What rests on his words, on what was said of them or on his feedback, or is his alone."""
        statement = select(MemoryRow.id).where(
            MemoryRow.model_id == model_id, MemoryRow.state != "erased", self._is_known_by()
        )
        return list(await self._session.scalars(statement.order_by(MemoryRow.id)))

    async def forget(self) -> int:
        """Once his traces and memories are erased: the rest, and by whom they were.

        Returns:
            How often he had given feedback on what others had said.
        """
        await self._unname_evidence()
        await self._session.execute(
            update(MemoryRow)
            .where(self._is_tenants(), MemoryRow.author.in_(self._authors))
            .values(author=None),
            execution_options=_NOT_FETCHED,
        )
        spoken_of = select(SignalRow.trace_id).where(self._is_his_signal())
        await self._session.execute(
            update(TraceDecisionRow)
            .where(TraceDecisionRow.trace_id.in_(spoken_of))
            .values(reason="feedback on it is erased"),
            execution_options=_NOT_FETCHED,
        )
        deleted = await self._session.scalars(
            delete(SignalRow).where(self._is_his_signal()).returning(SignalRow.id),
            execution_options=_NOT_FETCHED,
        )
        num_signals = len(deleted.all())
        await self._session.execute(
            update(TraceRow)
            .where(self._is_his_trace(), TraceRow.state == "erased")
            .values(author=None),
            execution_options=_NOT_FETCHED,
        )
        return num_signals

    async def _unname_evidence(self) -> None:
        """Of what is erased: trace and memory still name each other."""
        his = MemoryEvidenceRow.author.in_(self._authors) & MemoryEvidenceRow.memory_id.in_(
            select(MemoryRow.id).where(self._is_tenants())
        )
        columns = ["memory_id", "trace_id", "author", "signal_id", "quote", "by_teacher"]
        unnamed = select(
            MemoryEvidenceRow.memory_id,
            MemoryEvidenceRow.trace_id,
            literal(""),
            null(),
            literal(""),
            MemoryEvidenceRow.by_teacher,
        ).where(his)
        await self._session.execute(
            insert(MemoryEvidenceRow).from_select(columns, unnamed).on_conflict_do_nothing()
        )
        await self._session.execute(
            delete(MemoryEvidenceRow).where(his), execution_options=_NOT_FETCHED
        )

    def _is_his_trace(self) -> ColumnElement[bool]:
        return TraceRow.author.in_(self._authors) & (TraceRow.tenant_id == self._tenant_id)

    def _is_his_signal(self) -> ColumnElement[bool]:
        return SignalRow.author.in_(self._authors) & (SignalRow.tenant_id == self._tenant_id)

    def _is_tenants(self) -> ColumnElement[bool]:
        return MemoryRow.model_id.in_(
            select(ModelRow.id).where(ModelRow.tenant_id == self._tenant_id)
        )

    def _is_known_by(self) -> ColumnElement[bool]:
        return or_(MemoryRow.author.in_(self._authors), MemoryRow.id.in_(self._resting_on_him()))

    def _resting_on_him(self) -> Select[UUID]:
        return select(MemoryEvidenceRow.memory_id).where(
            or_(
                MemoryEvidenceRow.author.in_(self._authors),
                MemoryEvidenceRow.trace_id.in_(select(TraceRow.id).where(self._is_his_trace())),
                MemoryEvidenceRow.signal_id.in_(select(SignalRow.id).where(self._is_his_signal())),
            )
        )
