"""`/admin/keys`."""

from uuid import UUID

from fastapi import APIRouter

from api.dependencies import AdminDep, ServicesDep
from shared.contracts.keys import ApiKey, ApiKeyRequest, NewApiKey

router = APIRouter(prefix="/admin/keys", tags=["keys"])


@router.post("", status_code=201, summary="Make a key")
async def add_key(request: ApiKeyRequest, caller: AdminDep, services: ServicesDep) -> NewApiKey:
    """The reply is the only one that ever shows `key`; 409 if the name is taken, or was."""
    return await services.keys.add(caller, request)


@router.get("", summary="All keys")
async def list_keys(caller: AdminDep, services: ServicesDep) -> dict[str, list[ApiKey]]:
    """Oldest first, without the keys themselves; those that expired or were revoked, too."""
    return {"data": await services.keys.list_all(caller)}


@router.delete("/{key_id}", summary="Revoke a key")
async def revoke_key(key_id: UUID, caller: AdminDep, services: ServicesDep) -> ApiKey:
    """For good: refused everywhere within a second. 409 for the last admin key that works."""
    return await services.keys.revoke(caller, key_id)
