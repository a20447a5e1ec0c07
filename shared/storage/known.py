"""What each version knows, and what is in force because the one that answers knows it."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Uuid, case, func, literal, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from shared.contracts.memories import WAITING_STATES, MemoryState
from shared.db.tables import AdapterMemoryRow, MemoryRow

_RESTORABLE: Sequence[MemoryState] = ("superseded", "pending", *WAITING_STATES)


class KnownStore:
    """SQL of what the versions of a model know.

    Args:
        session: The transaction.
        model_id: The model.
    """

    def __init__(self, session: AsyncSession, model_id: UUID) -> None:
        self._session = session
        self._model_id = model_id

    async def write(self, adapter_id: UUID) -> None:
        """An adapter knows what is learned now: a rollback to it returns to that."""
        learned = select(literal(adapter_id, Uuid), MemoryRow.id, true()).where(
            MemoryRow.model_id == self._model_id, MemoryRow.state == "learned"
        )
        columns = ["adapter_id", "memory_id", "known"]
        await self._session.execute(
            insert(AdapterMemoryRow)
            .from_select(columns, learned)
            .on_conflict_do_update(index_elements=columns[:2], set_={"known": True})
        )

    async def follow(
        self,
        adapter_id: UUID | None,
        *,
        unknown_become: MemoryState,
        of_states: Sequence[MemoryState] = ("learned", "rolled_back"),
    ) -> tuple[int, int]:
        """What an adapter knows comes into force, and what only others know ceases to be.

        What a person rejected stays so, and what gave way to a later memory that the adapter knows
        gives way to it again.

        Args:
            adapter_id: None is the bare base: it knows nothing.
            unknown_become: The state of what only others know.
            of_states: What is in one of these is taken back.

        Returns:
            How many memories were taken back, and how many are in force again.
        """
        known = select(AdapterMemoryRow.memory_id).where(
            AdapterMemoryRow.adapter_id == adapter_id, AdapterMemoryRow.known
        )
        theirs = update(MemoryRow).where(MemoryRow.model_id == self._model_id)
        restored = await self._session.execute(
            theirs.where(MemoryRow.state.in_(_RESTORABLE), MemoryRow.id.in_(known))
            .values(
                state="learned",
                superseded_by=None,
                reason=case(
                    (MemoryRow.state == "superseded", "a version that knows it answers again"),
                    else_=MemoryRow.reason,
                ),
            )
            .returning(MemoryRow.id)
        )
        unknown = theirs.where(
            MemoryRow.state.in_(of_states),
            MemoryRow.state != unknown_become,
            MemoryRow.id.not_in(known),
        )
        later = aliased(MemoryRow)
        await self._session.execute(
            unknown.where(
                later.model_id == self._model_id,
                later.state == "learned",
                later.id.in_(known),
                later.id > MemoryRow.id,
                later.scope == MemoryRow.scope,
                func.lower(later.subject) == func.lower(MemoryRow.subject),
                later.relation == MemoryRow.relation,
            ).values(state="superseded", superseded_by=later.id),
            execution_options={"synchronize_session": False},
        )
        taken = await self._session.execute(
            unknown.values(state=unknown_become).returning(MemoryRow.id)
        )
        return len(taken.all()), len(restored.all())
