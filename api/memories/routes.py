"""`/admin/memories`: for teachers too, who may review."""

from uuid import UUID

from fastapi import APIRouter

from api.dependencies import ServicesDep, TeacherDep
from shared.contracts.memories import (
    HeldFor,
    Memory,
    MemoryReview,
    MemoryReviews,
    MemoryState,
    Reviewed,
)

router = APIRouter(prefix="/admin/memories", tags=["memories"])


@router.get("", summary="What was learned")
async def list_memories(
    caller: TeacherDep,
    services: ServicesDep,
    state: MemoryState | None = None,
    held_for: HeldFor | None = None,
    cycle: UUID | None = None,
    after: UUID | None = None,
) -> dict[str, list[Memory]]:
    """Class, reason, evidence and state of each, oldest first; at most 500 behind `after`."""
    found = await services.memories.page(
        caller, state=state, held_for=held_for, cycle_id=cycle, after=after
    )
    return {"data": found}


@router.get("/{memory_id}", summary="One memory")
async def get_memory(memory_id: UUID, caller: TeacherDep, services: ServicesDep) -> Memory:
    """With the traces that it rests on."""
    return await services.memories.get(caller, memory_id)


@router.post("/{memory_id}/review", summary="Decide about a memory")
async def review_memory(
    memory_id: UUID, review: MemoryReview, caller: TeacherDep, services: ServicesDep
) -> Memory:
    """Of one that is held, pending or rolled back; 409 else.

    `accept` lets the next sleep cycle learn it, `edit` does so in other words, `reject` ends it.
    """
    return await services.memories.review(caller, memory_id, review)


@router.post("/review", summary="Decide about many memories")
async def review_memories(
    reviews: MemoryReviews, caller: TeacherDep, services: ServicesDep
) -> Reviewed:
    """One decision about all that may be decided; for the others why nothing was."""
    return await services.memories.review_many(caller, reviews)
