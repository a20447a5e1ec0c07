"""The outbox: wake-ups that are written in the transaction that makes them true."""

from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.tables import OutboxRow


class OutboxStore:
    """SQL of the outbox."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, task: str, payload: dict[str, Any]) -> int:
        """Note a message that must reach the queue once the transaction commits."""
        row = OutboxRow(task=task, payload=payload)
        self._session.add(row)
        await self._session.flush()
        return row.id

    async def unsent(self, limit: int = 100) -> list[tuple[int, str, dict[str, Any]]]:
        """Messages that nobody sent yet, oldest first, locked for this transaction."""
        statement = (
            select(OutboxRow)
            .where(OutboxRow.sent_at.is_(None))
            .order_by(OutboxRow.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        rows = await self._session.scalars(statement)
        return [(row.id, row.task, row.payload) for row in rows]

    async def mark_sent(self, message_id: int) -> None:
        """The queue has it."""
        await self._session.execute(
            update(OutboxRow).where(OutboxRow.id == message_id).values(sent_at=func.now())
        )
