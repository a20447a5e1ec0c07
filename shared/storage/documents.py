"""Documents to study, and their place in consolidation."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import PAGE_SIZE, new_id
from shared.contracts.documents import Document, DocumentCounts, DocumentRequest, DocumentText
from shared.db.tables import DocumentRow

_SHOWN = (
    DocumentRow.id,
    DocumentRow.title,
    DocumentRow.sha256,
    func.length(DocumentRow.text).label("num_chars"),
    DocumentRow.state,
    DocumentRow.counts,
    DocumentRow.cycle_id,
    DocumentRow.created_at,
)


class DocumentStore:
    """SQL of documents."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, tenant_id: UUID, model_id: UUID, request: DocumentRequest) -> UUID:
        """Queue a document; the same text again is the same document.

        Returns:
            Its id.
        """
        sha256 = hashlib.sha256(request.text.encode()).hexdigest()
        values: dict[str, Any] = {
            "id": new_id(),
            "tenant_id": tenant_id,
            "model_id": model_id,
            "title": request.title,
            "text": request.text,
            "sha256": sha256,
        }
        same = select(DocumentRow.id).where(
            DocumentRow.model_id == model_id, DocumentRow.sha256 == sha256
        )
        document_id = None
        # The one that was in the way may be erased meanwhile.
        while document_id is None:
            await self._session.execute(
                insert(DocumentRow).values(**values).on_conflict_do_nothing()
            )
            document_id = await self._session.scalar(same)
        return document_id

    async def of_tenant(
        self, tenant_id: UUID, document_id: UUID | None = None, *, after: UUID | None = None
    ) -> list[Document]:
        """A tenant's documents without their texts, oldest first, `PAGE_SIZE` behind `after`."""
        statement = select(*_SHOWN).where(DocumentRow.tenant_id == tenant_id)
        if document_id is not None:
            statement = statement.where(DocumentRow.id == document_id)
        if after is not None:
            statement = statement.where(DocumentRow.id > after)
        found = await self._session.execute(statement.order_by(DocumentRow.id).limit(PAGE_SIZE))
        return [Document.model_validate(row, from_attributes=True) for row in found]

    async def model_of(self, tenant_id: UUID, document_id: UUID) -> UUID | None:
        """The model of a document of this tenant, erased or not."""
        return await self._session.scalar(
            select(DocumentRow.model_id).where(
                DocumentRow.id == document_id, DocumentRow.tenant_id == tenant_id
            )
        )

    async def claim(self, model_id: UUID, cycle_id: UUID) -> None:
        """Give the queued documents to a cycle; what an earlier attempt claimed stays claimed."""
        queued = (
            select(DocumentRow.id)
            .where(DocumentRow.model_id == model_id, DocumentRow.state == "queued")
            .with_for_update(skip_locked=True)
        )
        await self._session.execute(
            update(DocumentRow)
            .where(DocumentRow.id.in_(queued))
            .values(state="claimed", cycle_id=cycle_id)
        )

    async def claimed(self, cycle_id: UUID) -> list[DocumentText]:
        """The cycle's documents, oldest first."""
        statement = (
            select(DocumentRow).where(DocumentRow.cycle_id == cycle_id).order_by(DocumentRow.id)
        )
        return [
            DocumentText.model_validate(row, from_attributes=True)
            for row in await self._session.scalars(statement)
        ]

    async def set_counts(self, counts: Mapping[UUID, DocumentCounts]) -> None:
        """Write what became of each document's sentences."""
        for document_id, values in counts.items():
            await self._session.execute(
                update(DocumentRow)
                .where(DocumentRow.id == document_id)
                .values(counts=values.model_dump())
            )

    async def settle(self, cycle_id: UUID) -> None:
        """The cycle's documents are studied: no later cycle takes them."""
        await self._session.execute(
            update(DocumentRow).where(DocumentRow.cycle_id == cycle_id).values(state="studied")
        )

    async def release(self, cycle_id: UUID) -> None:
        """The cycle's documents return to the queue."""
        await self._session.execute(
            update(DocumentRow)
            .where(DocumentRow.cycle_id == cycle_id, DocumentRow.state == "claimed")
            .values(state="queued", cycle_id=None, counts=None)
        )

    async def count_queued(self, model_id: UUID) -> int:
        """How many documents wait for a cycle."""
        statement = select(func.count()).where(
            DocumentRow.model_id == model_id, DocumentRow.state == "queued"
        )
        return await self._session.scalar(statement) or 0

    async def last_added_at(self, model_id: UUID) -> datetime | None:
        """When the newest document came."""
        return await self._session.scalar(
            select(func.max(DocumentRow.created_at)).where(DocumentRow.model_id == model_id)
        )
