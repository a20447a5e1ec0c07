"""`/admin/documents`."""

from uuid import UUID

from fastapi import APIRouter

from api.dependencies import AdminDep, ErasureReason, ServicesDep
from shared.contracts.documents import Document, DocumentRequest
from shared.contracts.erasure import Erasure

router = APIRouter(prefix="/admin/documents", tags=["documents"])


@router.post("", status_code=202, summary="Give a document to study")
async def add_document(
    request: DocumentRequest, caller: AdminDep, services: ServicesDep
) -> Document:
    """Plain text or Markdown for the next sleep cycle. The same text again is one document."""
    return await services.documents.add(caller, request)


@router.get("", summary="Documents")
async def list_documents(
    caller: AdminDep, services: ServicesDep, after: UUID | None = None
) -> dict[str, list[Document]]:
    """Oldest first, without their texts; at most 500 behind `after`."""
    return {"data": await services.documents.page(caller, after)}


@router.get("/{document_id}", summary="One document")
async def get_document(document_id: UUID, caller: AdminDep, services: ServicesDep) -> Document:
    """Its state, and what became of its sentences."""
    return await services.documents.get(caller, document_id)


@router.delete("/{document_id}", summary="Erase a document")
async def erase_document(
    document_id: UUID, caller: AdminDep, services: ServicesDep, reason: ErasureReason = None
) -> Erasure:
    """With what was learned from it: versions that know it never answer again."""
    return await services.erasure.erase_document(caller, document_id, reason)
