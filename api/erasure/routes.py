"""`/admin/authors`; traces and documents are erased where they are shown."""

from fastapi import APIRouter

from api.dependencies import AdminDep, AuthorPath, ErasureReason, ServicesDep
from shared.contracts.erasure import AuthorErasure

router = APIRouter(prefix="/admin/authors", tags=["authors"])


# Names may hold slashes.
@router.delete("/{name:path}", summary="Erase a person")
async def erase_author(
    name: AuthorPath, caller: AdminDep, services: ServicesDep, reason: ErasureReason = None
) -> AuthorErasure:
    """All that he said, the feedback that he gave, and what was learned from either."""
    return await services.erasure.erase_author(caller, name, reason)
