"""`/admin/sleep-cycles`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body

from api.dependencies import AdminDep, ServicesDep
from shared.contracts.cycles import SleepCycle, SleepCycleRequest

router = APIRouter(prefix="/admin/sleep-cycles", tags=["sleep"])


@router.post("", status_code=202, summary="Start a sleep cycle")
async def start_sleep_cycle(
    caller: AdminDep,
    services: ServicesDep,
    request: Annotated[SleepCycleRequest, Body()] = SleepCycleRequest(),
) -> SleepCycle:
    """Queue a cycle; 409 while one is active for the model."""
    return await services.sleep.start(caller, request)


@router.get("", summary="The newest sleep cycles")
async def list_sleep_cycles(caller: AdminDep, services: ServicesDep) -> dict[str, list[SleepCycle]]:
    """Newest first."""
    return {"data": await services.sleep.list_all(caller)}


@router.get("/{cycle_id}", summary="One sleep cycle")
async def get_sleep_cycle(cycle_id: UUID, caller: AdminDep, services: ServicesDep) -> SleepCycle:
    """Status, stage, progress, counts and the gate's report."""
    return await services.sleep.get(caller, cycle_id)


@router.post("/{cycle_id}/cancel", status_code=202, summary="Stop a sleep cycle cleanly")
async def cancel_sleep_cycle(cycle_id: UUID, caller: AdminDep, services: ServicesDep) -> SleepCycle:
    """Its traces return to the queue."""
    return await services.sleep.cancel(caller, cycle_id)
