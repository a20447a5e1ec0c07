"""Memories, their evidence, and what resolving did to them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import PAGE_SIZE
from shared.contracts.cycles import ACTIVE_STATUSES
from shared.contracts.memories import (
    REVIEWED_STATES,
    Evidence,
    HeldFor,
    Memory,
    MemoryChange,
    MemoryState,
)
from shared.db.tables import (
    DocumentRow,
    MemoryEvidenceRow,
    MemoryRow,
    ModelRow,
    SleepCycleRow,
    TraceRow,
)


class MemoryStore:
    """SQL of memories."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, memories: Sequence[Memory]) -> None:
        """Record memories with their evidence."""
        for memory in memories:
            values = memory.model_dump(exclude={"evidence", "document_given_at"})
            await self._session.execute(insert(MemoryRow).values(**values))
            for evidence in memory.evidence:
                await self._session.execute(
                    insert(MemoryEvidenceRow)
                    .values(
                        memory_id=memory.id,
                        trace_id=evidence.trace_id,
                        author=evidence.author or "",
                        signal_id=evidence.signal_id,
                        quote=evidence.quote,
                        by_teacher=evidence.by_teacher,
                    )
                    .on_conflict_do_nothing()
                )

    async def discard_of(self, cycle_id: UUID) -> None:
        """Forget what an earlier attempt of a cycle's triage wrote, and no person decided about."""
        await self._session.execute(
            delete(MemoryEvidenceRow).where(
                MemoryEvidenceRow.memory_id.in_(select(MemoryRow.id).where(*_unreviewed(cycle_id)))
            )
        )
        await self._session.execute(delete(MemoryRow).where(*_unreviewed(cycle_id)))

    async def withdraw(self, cycle_id: UUID, status: str) -> None:
        """The cycle ended without a decision; its traces will be read again.

        What a person decided meanwhile stays.
        """
        await self._session.execute(
            update(MemoryRow)
            .where(*_unreviewed(cycle_id))
            .values(state="rejected", reason=f"its cycle was {status}; its traces wait again")
        )

    async def in_states(self, model_id: UUID, states: Sequence[MemoryState]) -> list[Memory]:
        """A model's memories in some states, oldest first."""
        return await self._load(MemoryRow.model_id == model_id, MemoryRow.state.in_(states))

    async def turned_down(self, model_id: UUID) -> list[Memory]:
        """What a person rejected, oldest first; not what went with its cycle."""
        return await self._load(
            MemoryRow.model_id == model_id,
            MemoryRow.state == "rejected",
            MemoryRow.reviewed_by.is_not(None),
        )

    async def outside_weights(
        self, model_id: UUID, own: tuple[str, str] | None, text: str, limit: int = 200
    ) -> list[Memory]:
        """What the model should know and no adapter holds, newest first, without evidence.

        Of an author's own session, if both are given, what has not expired; of others only what a
        night may teach: somebody stands for it. Its subject, if it has one, occurs in the text. A
        cycle that still runs has not yet compared its own with the others.
        """
        author, session_id = own or (None, None)
        is_settled = (
            select(SleepCycleRow.id)
            .where(
                SleepCycleRow.id == MemoryRow.cycle_id,
                SleepCycleRow.status.not_in(ACTIVE_STATUSES),
            )
            .exists()
        )
        statement = (
            select(MemoryRow)
            .where(
                MemoryRow.model_id == model_id,
                MemoryRow.state == "pending",
                or_(
                    (MemoryRow.persistence == "long_term")
                    & MemoryRow.authority.is_not(None)
                    & (func.strpos(text.lower(), func.lower(MemoryRow.subject)) > 0),
                    (MemoryRow.persistence == "session")
                    & (MemoryRow.author == author)
                    & (MemoryRow.session_id == session_id)
                    & (MemoryRow.expires_at > func.now()),
                ),
                is_settled,
            )
            .order_by(MemoryRow.id.desc())
            .limit(limit)
        )
        return [_memory(row, []) for row in await self._session.scalars(statement)]

    async def any_waits(self, model_id: UUID) -> bool:
        """True if a lasting memory waits for a cycle: if not, only a session's own can matter."""
        waiting = select(MemoryRow.id).where(
            MemoryRow.model_id == model_id,
            MemoryRow.state == "pending",
            MemoryRow.persistence == "long_term",
            MemoryRow.authority.is_not(None),
        )
        return bool(await self._session.scalar(select(waiting.exists())))

    async def by_ids(self, memory_ids: Sequence[UUID], *, lock: bool = False) -> list[Memory]:
        """Some memories, oldest first; locked, nobody decides about them in this transaction."""
        return await self._load(MemoryRow.id.in_(memory_ids), lock=lock)

    async def to_review(self, tenant_id: UUID, memory_ids: Sequence[UUID]) -> list[Memory]:
        """Those of some memories that are a tenant's, locked: one decides at a time."""
        return await self._load(
            MemoryRow.model_id.in_(_models_of(tenant_id)),
            MemoryRow.id.in_(memory_ids),
            lock=True,
        )

    async def subjects(self, model_id: UUID) -> list[str]:
        """Every name that any memory of a model is about."""
        statement = select(MemoryRow.subject).where(MemoryRow.model_id == model_id).distinct()
        return [subject for subject in await self._session.scalars(statement) if subject]

    async def of_tenant(
        self,
        tenant_id: UUID,
        memory_id: UUID | None = None,
        *,
        state: MemoryState | None = None,
        held_for: HeldFor | None = None,
        cycle_id: UUID | None = None,
        after: UUID | None = None,
    ) -> list[Memory]:
        """What a tenant's models learned, oldest first, at most `PAGE_SIZE` behind `after`."""
        conditions: list[ColumnElement[bool]] = [MemoryRow.model_id.in_(_models_of(tenant_id))]
        if memory_id is not None:
            conditions.append(MemoryRow.id == memory_id)
        if state is not None:
            conditions.append(MemoryRow.state == state)
        if held_for is not None:
            conditions.append(MemoryRow.held_for == held_for)
        if cycle_id is not None:
            conditions.append(MemoryRow.cycle_id == cycle_id)
        if after is not None:
            conditions.append(MemoryRow.id > after)
        return await self._load(*conditions, limit=PAGE_SIZE)

    async def apply(self, changes: Sequence[MemoryChange]) -> None:
        """Write new states with their reasons, where nobody changed them meanwhile."""
        written: set[UUID] = set()
        for change in changes:
            changed = await self._session.execute(
                update(MemoryRow)
                .where(MemoryRow.id == change.memory_id)
                # A second change of one memory finds what the first has written.
                .where(*([] if change.memory_id in written else _as_seen(change)))
                .values(
                    state=change.state,
                    reason=change.reason,
                    superseded_by=change.superseded_by,
                    held_for=change.held_for,
                    authority=func.coalesce(change.authority, MemoryRow.authority),
                    answer=func.coalesce(change.answer, MemoryRow.answer),
                )
                .returning(MemoryRow.document_id, MemoryRow.reviewed_by)
            )
            found = changed.first()
            if found is not None:
                written.add(change.memory_id)
            if found is not None and change.says_the_same:
                await self._copy_evidence(change, *found)

    async def _copy_evidence(
        self, change: MemoryChange, document_id: UUID | None, reviewed_by: str | None
    ) -> None:
        await self._session.execute(
            update(MemoryRow)
            .where(MemoryRow.id == change.superseded_by)
            .values(
                document_id=func.coalesce(MemoryRow.document_id, document_id),
                reviewed_by=func.coalesce(MemoryRow.reviewed_by, reviewed_by),
            )
        )
        copied = select(
            literal(change.superseded_by, MemoryEvidenceRow.memory_id.type),
            MemoryEvidenceRow.trace_id,
            MemoryEvidenceRow.author,
            MemoryEvidenceRow.signal_id,
            MemoryEvidenceRow.quote,
            MemoryEvidenceRow.by_teacher,
        ).where(MemoryEvidenceRow.memory_id == change.memory_id)
        columns = ["memory_id", "trace_id", "author", "signal_id", "quote", "by_teacher"]
        await self._session.execute(
            insert(MemoryEvidenceRow).from_select(columns, copied).on_conflict_do_nothing()
        )

    async def review(
        self,
        memory_id: UUID,
        state: MemoryState,
        reviewed_by: str,
        reason: str,
        words: Mapping[str, str] | None = None,
    ) -> bool:
        """Move a memory on as a person decided; whoever lets it be taught stands for it.

        Args:
            memory_id: The memory.
            state: `pending` or `rejected`.
            reviewed_by: Who decided.
            reason: Why.
            words: New values of its columns, where it was edited.

        Returns:
            False if nobody is asked about it (any more).
        """
        values: dict[str, object] = {**(words or {})}
        if state == "pending":
            values["authority"] = "reviewer"
        found = await self._session.execute(
            update(MemoryRow)
            .where(
                MemoryRow.id == memory_id,
                MemoryRow.state.in_(REVIEWED_STATES),
                MemoryRow.persistence == "long_term",
            )
            .values(state=state, reviewed_by=reviewed_by, reason=reason, held_for=None, **values)
            .returning(MemoryRow.id)
        )
        return found.first() is not None

    async def set_key(self, memory: Memory) -> None:
        """Give a memory the key that was read from its question, unless that changed since."""
        await self._session.execute(
            update(MemoryRow)
            .where(MemoryRow.id == memory.id, MemoryRow.question == memory.question)
            .values(subject=memory.subject, relation=memory.relation)
        )

    async def set_state(
        self, memory_ids: Sequence[UUID], state: MemoryState, *, was: MemoryState | None = None
    ) -> None:
        """Move memories to a state; with `was` only those that are in this one."""
        statement = update(MemoryRow).where(MemoryRow.id.in_(memory_ids)).values(state=state)
        if was is not None:
            statement = statement.where(MemoryRow.state == was)
        await self._session.execute(statement)

    async def expire_sessions(self) -> None:
        """End the memories whose session is over."""
        await self._session.execute(
            update(MemoryRow)
            .where(
                MemoryRow.persistence == "session",
                MemoryRow.state.not_in(("expired", "erased")),
                or_(MemoryRow.expires_at.is_(None), MemoryRow.expires_at < func.now()),
            )
            .values(state="expired")
        )

    async def _load(
        self, *conditions: ColumnElement[bool], limit: int | None = None, lock: bool = False
    ) -> list[Memory]:
        statement = select(MemoryRow).where(*conditions).order_by(MemoryRow.id).limit(limit)
        if lock:
            # In the order of their ids, so that two who lock several never wait for each other.
            statement = statement.with_for_update().execution_options(populate_existing=True)
        rows = list(await self._session.scalars(statement))
        evidence: dict[UUID, list[Evidence]] = {row.id: [] for row in rows}
        found = await self._session.execute(
            select(MemoryEvidenceRow, TraceRow.session_id, TraceRow.created_at)
            .join(TraceRow, TraceRow.id == MemoryEvidenceRow.trace_id)
            .where(MemoryEvidenceRow.memory_id.in_(evidence))
            .order_by(MemoryEvidenceRow.trace_id)
        )
        for item, session_id, said_at in found:
            evidence[item.memory_id].append(
                Evidence(
                    trace_id=item.trace_id,
                    signal_id=item.signal_id,
                    quote=item.quote,
                    author=item.author or None,
                    by_teacher=item.by_teacher,
                    session_id=session_id,
                    said_at=said_at,
                )
            )
        documents = select(DocumentRow.id, DocumentRow.created_at).where(
            DocumentRow.id.in_({row.document_id for row in rows if row.document_id})
        )
        given_at = {found.id: found.created_at for found in await self._session.execute(documents)}
        return [_memory(row, evidence[row.id], given_at.get(row.document_id)) for row in rows]


def _models_of(tenant_id: UUID) -> Select[UUID]:
    return select(ModelRow.id).where(ModelRow.tenant_id == tenant_id)


def _unreviewed(cycle_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return MemoryRow.cycle_id == cycle_id, MemoryRow.reviewed_by.is_(None)


def _as_seen(change: MemoryChange) -> list[ColumnElement[bool]]:
    """Whether a memory is as resolving saw it; each review writes a reason of its own."""
    seen = [MemoryRow.state == change.was]
    if change.was_reason is not None:
        seen.append(MemoryRow.reason == change.was_reason)
    return seen


def _memory(
    row: MemoryRow, evidence: list[Evidence], document_given_at: datetime | None = None
) -> Memory:
    columns = {column.key: getattr(row, column.key) for column in MemoryRow.__table__.columns}
    loaded = {"evidence": evidence, "document_given_at": document_given_at}
    return Memory.model_validate({**columns, **loaded})
