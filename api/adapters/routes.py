"""`/admin/adapters` and `/admin/rollback`."""

from typing import Annotated

from fastapi import APIRouter, Body, Path

from api.dependencies import AdminDep, ModelQuery, ServicesDep
from shared.contracts.adapters import MAX_VERSION, Adapter, Rollback, RollbackRequest

router = APIRouter(prefix="/admin", tags=["adapters"])


@router.get("/adapters", summary="All adapter versions")
async def list_adapters(caller: AdminDep, services: ServicesDep) -> dict[str, list[Adapter]]:
    """Newest first, with lineage, checksums and gate reports."""
    return {"data": await services.adapters.list_all(caller)}


@router.get("/adapters/{version}", summary="One adapter version")
async def get_adapter(
    version: Annotated[int, Path(ge=1, le=MAX_VERSION)],
    caller: AdminDep,
    services: ServicesDep,
    model: ModelQuery = "default",
) -> Adapter:
    """With its gate's report."""
    return await services.adapters.get(caller, version, model)


@router.post("/rollback", summary="Move a model's pointer to another version")
async def roll_back(
    caller: AdminDep,
    services: ServicesDep,
    request: Annotated[RollbackRequest, Body()] = RollbackRequest(),
) -> Rollback:
    """Without `to`, to what answered before the active version was promoted."""
    return await services.adapters.rollback(caller, request)
