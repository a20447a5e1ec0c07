"""Documents: given to study, and what became of them."""

from uuid import UUID

from api.directory import Directory
from shared.contracts.documents import Document, DocumentRequest
from shared.contracts.keys import Caller
from shared.errors import NotFoundError
from shared.storage.documents import DocumentStore


class DocumentService:
    """Queues and shows documents.

    Args:
        directory: Knows the caller's models.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._sessions = directory.sessions

    async def add(self, caller: Caller, request: DocumentRequest) -> Document:
        """Queue a document for the model's next sleep cycle.

        Raises:
            NotFoundError: If the tenant has no such model.
        """
        route = await self._directory.route(caller.tenant_id, request.model)
        async with self._sessions.begin() as session:
            store = DocumentStore(session)
            document_id = await store.add(caller.tenant_id, route.model_id, request)
            [document] = await store.of_tenant(caller.tenant_id, document_id)
        return document

    async def page(self, caller: Caller, after: UUID | None) -> list[Document]:
        """The tenant's documents, oldest first, behind `after`."""
        async with self._sessions.begin() as session:
            return await DocumentStore(session).of_tenant(caller.tenant_id, after=after)

    async def get(self, caller: Caller, document_id: UUID) -> Document:
        """One document.

        Raises:
            NotFoundError: If the tenant has none of this id.
        """
        async with self._sessions.begin() as session:
            found = await DocumentStore(session).of_tenant(caller.tenant_id, document_id)
        if not found:
            raise NotFoundError(f"There is no document {document_id}.")
        return found[0]
