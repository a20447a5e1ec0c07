"""Adapters: versions, gate reports, and the moves of a model's pointer."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from shared.contracts.adapters import Adapter, AdapterFile, AdapterState
from shared.contracts.base import new_id
from shared.contracts.cycles import GateReport, SuiteResult
from shared.db.tables import (
    AdapterMemoryRow,
    AdapterRow,
    GateReportRow,
    ModelRow,
    PromotionRow,
)
from shared.storage.models import adapter_file


class AdapterStore:
    """SQL of adapters."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(
        self,
        *,
        model_id: UUID,
        cycle_id: UUID | None,
        parent_id: UUID | None,
        sha256: str,
        path: str,
        memory_ids: Sequence[UUID] = (),
    ) -> AdapterFile:
        """Record a candidate under a version and an engine-side name that nobody had before."""
        adapter_id = new_id()
        model = await self._lock_model(model_id)
        newest = await self._session.scalar(
            select(func.max(AdapterRow.version)).where(AdapterRow.model_id == model_id)
        )
        row = AdapterRow(
            id=adapter_id,
            model_id=model_id,
            version=(newest or 0) + 1,
            sha256=sha256,
            path=path,
            engine_name=f"dormouse-{adapter_id.hex}",
            parent_id=parent_id,
            cycle_id=cycle_id,
        )
        self._session.add(row)
        await self._session.flush()
        if memory_ids:
            await self._session.execute(
                insert(AdapterMemoryRow),
                [{"adapter_id": adapter_id, "memory_id": memory_id} for memory_id in memory_ids],
            )
        return adapter_file(row, model.base)

    async def versions(self, model_id: UUID) -> dict[UUID, int]:
        """The version of each of a model's adapters."""
        statement = select(AdapterRow.id, AdapterRow.version).where(AdapterRow.model_id == model_id)
        return {row.id: row.version for row in await self._session.execute(statement)}

    async def file(self, adapter_id: UUID) -> AdapterFile:
        """Where an adapter lies."""
        statement = (
            select(AdapterRow, ModelRow.base)
            .join(ModelRow, ModelRow.id == AdapterRow.model_id)
            .where(AdapterRow.id == adapter_id)
        )
        row, base = (await self._session.execute(statement)).one()
        return adapter_file(row, base)

    async def file_of_version(self, model_id: UUID, version: int) -> AdapterFile | None:
        """Where a model's version lies."""
        row = await self._session.scalar(
            select(AdapterRow).where(AdapterRow.model_id == model_id, AdapterRow.version == version)
        )
        return await self.file(row.id) if row else None

    async def add_report(self, adapter_id: UUID, cycle_id: UUID | None, report: GateReport) -> None:
        """Write the gate's decision, once."""
        statement = insert(GateReportRow).values(
            adapter_id=adapter_id,
            cycle_id=cycle_id,
            passed=report.passed,
            reason=report.reason,
            suites=[suite.model_dump() for suite in report.suites],
        )
        await self._session.execute(statement.on_conflict_do_nothing())

    async def set_override(self, adapter_id: UUID, *, by: str, reason: str) -> None:
        """Let an adapter answer without a passed gate; the database wants both words."""
        await self._session.execute(
            update(AdapterRow)
            .where(AdapterRow.id == adapter_id)
            .values(override_by=by, override_reason=reason)
        )

    async def is_servable(self, adapter_id: UUID) -> bool:
        """True if the gate passed it, or an override names who and why, and it is not erased."""
        row, report = (
            await self._session.execute(
                select(AdapterRow, GateReportRow)
                .outerjoin(GateReportRow, GateReportRow.adapter_id == AdapterRow.id)
                .where(AdapterRow.id == adapter_id)
            )
        ).one()
        overridden = bool(row.override_by and row.override_reason)
        return row.erased_at is None and (overridden or bool(report and report.passed))

    async def servable(self, adapter_id: UUID | None, but: Collection[UUID] = ()) -> UUID | None:
        """The adapter, or the nearest that it was trained from, that may answer; None: the base.

        Args:
            adapter_id: Where to begin.
            but: These may not, either.
        """
        while adapter_id is not None and (
            adapter_id in but or not await self.is_servable(adapter_id)
        ):
            adapter_id = await self._session.scalar(
                select(AdapterRow.parent_id).where(AdapterRow.id == adapter_id)
            )
        return adapter_id

    async def erased(self, before: datetime) -> list[AdapterFile]:
        """The adapters that were erased before then, whose files no other has."""
        other = aliased(AdapterRow)
        kept = select(other.id).where(other.path == AdapterRow.path, other.erased_at.is_(None))
        statement = (
            select(AdapterRow, ModelRow.base)
            .join(ModelRow, ModelRow.id == AdapterRow.model_id)
            .where(AdapterRow.erased_at < before, ~kept.exists())
        )
        return [adapter_file(*found) for found in await self._session.execute(statement)]

    async def any_of(self, sha256: str) -> bool:
        """Whether an adapter of any model has these files."""
        found = await self._session.scalar(
            select(AdapterRow.id).where(AdapterRow.sha256 == sha256).limit(1)
        )
        return found is not None

    async def trust(self, adapter_id: UUID) -> None:
        """What no cycle promoted knows what it was trained on: whoever lets it answer says so.

        Of one that was promoted, what it knows is written already.
        """
        promoted = select(PromotionRow.id).where(
            PromotionRow.to_adapter_id == adapter_id, PromotionRow.kind == "promotion"
        )
        await self._session.execute(
            update(AdapterMemoryRow)
            .where(AdapterMemoryRow.adapter_id == adapter_id, ~promoted.exists())
            .values(known=True)
        )

    async def move(
        self,
        *,
        model_id: UUID,
        to: UUID | None,
        kind: Literal["promotion", "rollback"],
        actor: str,
        reason: str | None = None,
        cycle_id: UUID | None = None,
    ) -> UUID | None:
        """Flip the pointer: one row of one table, in the caller's transaction.

        Returns:
            Where the pointer was before.

        Raises:
            sqlalchemy.exc.IntegrityError: If the database refuses an ungated adapter.
        """
        model = await self._lock_model(model_id)
        before = model.active_adapter_id
        model.active_adapter_id = to
        self._session.add(
            PromotionRow(
                model_id=model_id,
                from_adapter_id=before,
                to_adapter_id=to,
                kind=kind,
                actor=actor,
                reason=reason,
                cycle_id=cycle_id,
            )
        )
        await self._session.flush()
        return before

    async def active_id(self, model_id: UUID) -> UUID | None:
        """Where the pointer is, locked for this transaction; None is the bare base."""
        return (await self._lock_model(model_id)).active_adapter_id

    async def before(self, model_id: UUID, adapter_id: UUID) -> UUID | None:
        """What answered when `adapter_id` was promoted, or first came to answer; None: the base."""
        statement = (
            select(PromotionRow.from_adapter_id)
            .where(
                PromotionRow.model_id == model_id,
                PromotionRow.to_adapter_id == adapter_id,
            )
            .order_by((PromotionRow.kind == "promotion").desc(), PromotionRow.id.desc())
            .limit(1)
        )
        return await self._session.scalar(statement)

    async def of_tenant(self, tenant_id: UUID, version: int | None = None) -> list[Adapter]:
        """The tenant's adapters, newest first; of one version with the ids of its memories.

        A version also names what it knows from before: the ids of all grow with the square of the
        nights.
        """
        parent = AdapterRow.__table__.alias("parent")
        statement = (
            select(AdapterRow, ModelRow, GateReportRow, parent.c.version)
            .join(ModelRow, ModelRow.id == AdapterRow.model_id)
            .outerjoin(GateReportRow, GateReportRow.adapter_id == AdapterRow.id)
            .outerjoin(parent, parent.c.id == AdapterRow.parent_id)
            .where(ModelRow.tenant_id == tenant_id)
            .order_by(AdapterRow.id.desc())
        )
        if version is not None:
            statement = statement.where(AdapterRow.version == version)
        found = list(await self._session.execute(statement))
        counts = await self._num_memories([row.id for row, *_ in found])
        adapters = [
            _adapter(row, model, report, parent_version, counts.get(row.id, 0))
            for row, model, report, parent_version in found
        ]
        if version is None:
            return adapters
        return [
            adapter.model_copy(update={"memories": await self._memories(adapter.id)})
            for adapter in adapters
        ]

    async def _num_memories(self, adapter_ids: Sequence[UUID]) -> dict[UUID, int]:
        statement = (
            select(AdapterMemoryRow.adapter_id, func.count().label("num_memories"))
            .where(AdapterMemoryRow.adapter_id.in_(adapter_ids))
            .group_by(AdapterMemoryRow.adapter_id)
        )
        found = await self._session.execute(statement)
        return {row.adapter_id: row.num_memories for row in found}

    async def _memories(self, adapter_id: UUID) -> list[UUID]:
        statement = select(AdapterMemoryRow.memory_id).where(
            AdapterMemoryRow.adapter_id == adapter_id
        )
        return list(await self._session.scalars(statement.order_by(AdapterMemoryRow.memory_id)))

    async def _lock_model(self, model_id: UUID) -> ModelRow:
        statement = select(ModelRow).where(ModelRow.id == model_id).with_for_update()
        return (
            await self._session.scalars(statement, execution_options={"populate_existing": True})
        ).one()


def _state(row: AdapterRow, model: ModelRow, report: GateReportRow | None) -> AdapterState:
    if model.active_adapter_id == row.id:
        return "active"
    if row.erased_at is not None:
        return "erased"
    if report is None:
        return "candidate"
    return "retired" if report.passed else "rejected"


def gate_report(row: GateReportRow) -> GateReport:
    """The contract of a row."""
    suites = [SuiteResult.model_validate(suite) for suite in row.suites]
    return GateReport(passed=row.passed, reason=row.reason, suites=suites)


def _adapter(
    row: AdapterRow,
    model: ModelRow,
    report: GateReportRow | None,
    parent: int | None,
    num_memories: int,
) -> Adapter:
    return Adapter(
        id=row.id,
        model=model.name,
        version=row.version,
        state=_state(row, model, report),
        sha256=row.sha256,
        engine_name=row.engine_name,
        parent=parent,
        cycle_id=row.cycle_id,
        gate=gate_report(report) if report else None,
        override_by=row.override_by,
        override_reason=row.override_reason,
        erased_at=row.erased_at,
        num_memories=num_memories,
        created_at=row.created_at,
    )
