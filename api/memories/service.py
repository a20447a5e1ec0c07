"""What was learned, from which trace, and why."""

from uuid import UUID

from api.memories.edits import check, edited, was_said
from shared.contracts.keys import Caller
from shared.contracts.memories import (
    REVIEWED_STATES,
    HeldFor,
    Memory,
    MemoryReview,
    MemoryReviews,
    MemoryState,
    Reviewed,
)
from shared.db.session import Sessions
from shared.errors import MemoryNotHeldError, NotFoundError
from shared.storage.memories import MemoryStore

_REVIEWED: dict[str, tuple[str, MemoryState]] = {
    "accept": ("accepted", "pending"),
    "edit": ("edited", "pending"),
    "reject": ("rejected", "rejected"),
}


class MemoryService:
    """Reads memories, and writes what a person decides of those that may be decided.

    Args:
        sessions: The database.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def page(
        self,
        caller: Caller,
        *,
        state: MemoryState | None,
        held_for: HeldFor | None,
        cycle_id: UUID | None,
        after: UUID | None,
    ) -> list[Memory]:
        """The tenant's memories, or those of a state, a reason to wait, a cycle; oldest first."""
        async with self._sessions.begin() as session:
            return await MemoryStore(session).of_tenant(
                caller.tenant_id, state=state, held_for=held_for, cycle_id=cycle_id, after=after
            )

    async def get(self, caller: Caller, memory_id: UUID) -> Memory:
        """One memory with its evidence.

        Raises:
            NotFoundError: If the tenant has none of this id.
        """
        async with self._sessions.begin() as session:
            found = await MemoryStore(session).of_tenant(caller.tenant_id, memory_id)
        if not found:
            raise NotFoundError(_is_unknown(memory_id))
        return found[0]

    async def review(self, caller: Caller, memory_id: UUID, review: MemoryReview) -> Memory:
        """Accept, reject or edit a memory; it and its reason say who did, and what was said before.

        Raises:
            BadRequestError: If the words of an edit are missing or do not hang together.
            NotFoundError: If the tenant has none of this id.
            MemoryNotHeldError: If nobody is asked about it.
        """
        check(review)
        async with self._sessions.begin() as session:
            store = MemoryStore(session)
            found = await store.to_review(caller.tenant_id, [memory_id])
            if not found:
                raise NotFoundError(_is_unknown(memory_id))
            if (why := _why_not(found[0])) is not None:
                raise MemoryNotHeldError(why)
            await _decide(store, found[0], caller.key_name, review)
        return await self.get(caller, memory_id)

    async def review_many(self, caller: Caller, reviews: MemoryReviews) -> Reviewed:
        """One decision about many memories, in one transaction."""
        review = MemoryReview(decision=reviews.decision, reason=reviews.reason)
        async with self._sessions.begin() as session:
            store = MemoryStore(session)
            found = await store.to_review(caller.tenant_id, reviews.ids)
            not_decided = {
                memory.id: why for memory in found if (why := _why_not(memory)) is not None
            }
            decided = [memory for memory in found if memory.id not in not_decided]
            for memory in decided:
                await _decide(store, memory, caller.key_name, review)
        unknown = set(reviews.ids) - {memory.id for memory in found}
        not_decided |= {memory_id: _is_unknown(memory_id) for memory_id in unknown}
        return Reviewed(decided=[memory.id for memory in decided], not_decided=not_decided)


async def _decide(store: MemoryStore, memory: Memory, who: str, review: MemoryReview) -> None:
    verb, state = _REVIEWED[review.decision]
    words = edited(memory, review) if review.decision == "edit" else {}
    parts = [f"{who} {verb} it: {review.reason}"]
    if said := was_said(memory, words):
        parts.append(f"said was: {said}")
    reason = "; ".join([*parts, memory.reason])
    await store.review(memory.id, state, who, reason, words)


def _is_unknown(memory_id: UUID) -> str:
    return f"There is no memory {memory_id}."


def _why_not(memory: Memory) -> str | None:
    """Why nobody is asked about a memory; None if one is."""
    if memory.persistence != "long_term":
        return f"Memory {memory.id} holds for its session only: there is nothing to decide."
    if memory.state in REVIEWED_STATES:
        return None
    more = " Roll back, or erase its trace, to take it back." if memory.state == "learned" else ""
    return (
        f"Memory {memory.id} is {memory.state}: only what is held, pending or rolled back is "
        f"decided.{more}"
    )
