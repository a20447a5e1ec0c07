"""Sleep cycles: state, lease, stage results.

Every write of a running cycle names its lease token, so that a worker that was taken for dead
cannot write beside its successor.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import new_id
from shared.contracts.cycles import (
    ACTIVE_STATUSES,
    CycleCounts,
    CycleStatus,
    Lease,
    SleepCycle,
    Stage,
)
from shared.db.tables import AdapterRow, GateReportRow, ModelRow, SleepCycleRow, StageResultRow
from shared.errors import CycleActiveError, CycleCancelledError, LeaseLostError
from shared.storage.adapters import gate_report


def _cycles() -> Select[SleepCycleRow, str, int, GateReportRow]:
    return (
        select(SleepCycleRow, ModelRow.name, AdapterRow.version, GateReportRow)
        .join(ModelRow, ModelRow.id == SleepCycleRow.model_id)
        .outerjoin(AdapterRow, AdapterRow.id == SleepCycleRow.adapter_id)
        .outerjoin(GateReportRow, GateReportRow.adapter_id == SleepCycleRow.adapter_id)
        .order_by(SleepCycleRow.id.desc())
    )


class SleepCycleStore:
    """SQL of sleep cycles."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(
        self,
        *,
        model_id: UUID,
        trigger: str,
        reason: str | None,
        requested_by: str | None,
        stop_after: Stage | None = None,
    ) -> UUID:
        """Queue a cycle.

        Raises:
            CycleActiveError: If the model already has a queued or running cycle.
        """
        row = SleepCycleRow(
            id=new_id(),
            model_id=model_id,
            status="queued",
            progress=0.0,
            counts=CycleCounts().model_dump(),
            trigger=trigger,
            reason=reason,
            requested_by=requested_by,
            stop_after=stop_after.value if stop_after else None,
            cancel_requested=False,
            attempts=0,
        )
        try:
            async with self._session.begin_nested():
                self._session.add(row)
        except IntegrityError as error:
            active = await self.active_id(model_id)
            raise CycleActiveError(
                f"Sleep cycle {active} is already queued or running for this model. "
                f"Wait for it, or cancel it with POST /admin/sleep-cycles/{active}/cancel."
            ) from error
        return row.id

    async def active_id(self, model_id: UUID) -> UUID | None:
        """The model's queued or running cycle."""
        return await self._session.scalar(
            select(SleepCycleRow.id).where(
                SleepCycleRow.model_id == model_id, SleepCycleRow.status.in_(ACTIVE_STATUSES)
            )
        )

    async def of_tenant(
        self, tenant_id: UUID, cycle_id: UUID | None = None, limit: int = 100
    ) -> list[SleepCycle]:
        """The tenant's cycles, newest first."""
        statement = _cycles().where(ModelRow.tenant_id == tenant_id).limit(limit)
        if cycle_id is not None:
            statement = statement.where(SleepCycleRow.id == cycle_id)
        found = list(await self._session.execute(statement))
        stages = await self._stages([row.id for row, *_ in found])
        return [
            _cycle(row, name, version, report, stages.get(row.id, {}))
            for row, name, version, report in found
        ]

    async def _stages(self, cycle_ids: Sequence[UUID]) -> dict[UUID, dict[str, float]]:
        statement = (
            select(StageResultRow)
            .where(StageResultRow.cycle_id.in_(cycle_ids))
            .order_by(StageResultRow.finished_at)
        )
        stages: dict[UUID, dict[str, float]] = {}
        for row in await self._session.scalars(statement):
            stages.setdefault(row.cycle_id, {})[row.stage] = round(row.seconds, 2)
        return stages

    async def request_cancel(self, cycle_id: UUID) -> bool:
        """Ask an active cycle to stop; a queued one ends at once.

        Returns:
            False if it had already ended.
        """
        row = await self._session.get(SleepCycleRow, cycle_id, with_for_update=True)
        if row is None or row.status not in ACTIVE_STATUSES:
            return False
        row.cancel_requested = True
        if row.status == "queued":
            row.status = "cancelled"
            row.finished_at = func.now()
        return True

    async def last_created_at(
        self, model_id: UUID, *, trigger: str | None = None
    ) -> datetime | None:
        """When the model's newest cycle was queued."""
        statement = select(func.max(SleepCycleRow.created_at)).where(
            SleepCycleRow.model_id == model_id
        )
        if trigger is not None:
            statement = statement.where(SleepCycleRow.trigger == trigger)
        return await self._session.scalar(statement)

    async def ended(self, cycle_ids: Sequence[UUID]) -> list[UUID]:
        """Those of some cycles that have ended."""
        statement = select(SleepCycleRow.id).where(
            SleepCycleRow.id.in_(cycle_ids), SleepCycleRow.status.not_in(ACTIVE_STATUSES)
        )
        return list(await self._session.scalars(statement))

    async def runnable(self) -> list[UUID]:
        """Cycles that wait for a worker: queued, or running with a lease that ran out."""
        statement = select(SleepCycleRow.id).where(_is_free()).order_by(SleepCycleRow.id)
        return list(await self._session.scalars(statement))

    async def lease(self, cycle_id: UUID, lease_s: float) -> Lease | None:
        """Take a cycle that is free.

        Returns:
            None if it has ended or another worker holds it.
        """
        statement = (
            select(SleepCycleRow)
            .where(SleepCycleRow.id == cycle_id, _is_free())
            .with_for_update(skip_locked=True)
        )
        row = await self._session.scalar(statement)
        if row is None:
            return None
        row.status = "running"
        row.started_at = row.started_at or func.now()
        row.lease_token = uuid4()
        row.lease_until = func.now() + timedelta(seconds=lease_s)
        row.attempts += 1
        results = await self._session.scalars(
            select(StageResultRow).where(StageResultRow.cycle_id == cycle_id)
        )
        return Lease(
            cycle_id=cycle_id,
            model_id=row.model_id,
            token=row.lease_token,
            attempts=row.attempts,
            counts=CycleCounts.model_validate(row.counts),
            stop_after=Stage(row.stop_after) if row.stop_after else None,
            results={Stage(result.stage): result.result for result in results},
        )

    async def renew(self, lease: Lease, lease_s: float) -> bool:
        """Hold the lease for longer.

        Returns:
            True if somebody asked to cancel the cycle.

        Raises:
            LeaseLostError: If another worker owns the cycle.
        """
        return await self._write(lease, lease_until=func.now() + timedelta(seconds=lease_s))

    async def hold(self, lease: Lease) -> None:
        """Lock the cycle for this transaction: only its owner writes.

        Raises:
            LeaseLostError: If another worker owns the cycle.
        """
        await self._write(lease, lease_token=lease.token)

    async def give_back(self, lease: Lease) -> None:
        """End the lease without ending the cycle: the next worker resumes it.

        A worker that was told to end is none that the cycle took down: the attempt does not count.
        """
        await self._write(
            lease, lease_until=None, lease_token=None, attempts=SleepCycleRow.attempts - 1
        )

    async def report(
        self, lease: Lease, *, stage: Stage, progress: float, detail: str | None
    ) -> None:
        """Show how far the running stage is."""
        await self._write(lease, stage=stage.value, progress=progress, detail=detail)

    async def finish_stage(
        self,
        lease: Lease,
        stage: Stage,
        result: dict[str, Any],
        *,
        seconds: float,
        counts: CycleCounts,
    ) -> None:
        """Write a stage's result: a resumed cycle goes on behind it."""
        statement = insert(StageResultRow).values(
            cycle_id=lease.cycle_id, stage=stage.value, result=result, seconds=seconds
        )
        await self._session.execute(statement.on_conflict_do_nothing())
        await self._write(lease, progress=1.0, detail=None, counts=counts.model_dump())

    async def set_adapter(self, lease: Lease, adapter_id: UUID) -> None:
        """Name the cycle's candidate."""
        await self._write(lease, adapter_id=adapter_id)

    async def adapter_id(self, cycle_id: UUID) -> UUID | None:
        """The cycle's candidate."""
        return await self._session.scalar(
            select(SleepCycleRow.adapter_id).where(SleepCycleRow.id == cycle_id)
        )

    async def finish(self, lease: Lease, status: CycleStatus, error: str | None = None) -> None:
        """End the cycle.

        Raises:
            CycleCancelledError: If somebody asked to cancel it before it could succeed.
            LeaseLostError: If another worker owns it.
        """
        cancelled = await self._write(
            lease,
            status=status,
            error=error,
            detail=None,
            lease_until=None,
            lease_token=None,
            finished_at=func.now(),
        )
        if cancelled and status not in ("cancelled", "failed"):
            raise CycleCancelledError("The cycle was cancelled.")

    async def _write(self, lease: Lease, **values: object) -> bool:
        cancel = await self._session.scalar(
            update(SleepCycleRow)
            .where(
                SleepCycleRow.id == lease.cycle_id,
                SleepCycleRow.lease_token == lease.token,
                SleepCycleRow.status == "running",
            )
            .values(**values)
            .returning(SleepCycleRow.cancel_requested)
        )
        if cancel is None:
            raise LeaseLostError(f"Another worker owns sleep cycle {lease.cycle_id} now.")
        return bool(cancel)


def _is_free() -> Any:
    expired = or_(SleepCycleRow.lease_until.is_(None), SleepCycleRow.lease_until < func.now())
    return or_(SleepCycleRow.status == "queued", (SleepCycleRow.status == "running") & expired)


def _cycle(
    row: SleepCycleRow,
    model: str,
    version: int | None,
    report: GateReportRow | None,
    stages: dict[str, float],
) -> SleepCycle:
    return SleepCycle.model_validate(
        {
            "id": row.id,
            "model": model,
            "status": row.status,
            "stage": row.stage,
            "progress": row.progress,
            "detail": row.detail,
            "trigger": row.trigger,
            "reason": row.reason,
            "stop_after": row.stop_after,
            "counts": row.counts,
            "adapter": version,
            "gate": gate_report(report) if report else None,
            "error": row.error,
            "stages": stages,
            "created_at": row.created_at,
            "started_at": row.started_at,
            "finished_at": row.finished_at,
        }
    )
