"""`/admin/memories`."""

from uuid import UUID

from fastapi import APIRouter

from api.dependencies import ServicesDep, TeacherDep
from shared.contracts.memories import Memory, MemoryReview, MemoryState

router = APIRouter(prefix="/admin/memories", tags=["memories"])


@router.get("", summary="What was learned")
async def list_memories(
    caller: TeacherDep,
    services: ServicesDep,
    state: MemoryState | None = None,
    after: UUID | None = None,
) -> dict[str, list[Memory]]:
    """Class, reason, evidence and state of each, oldest first; at most 500 behind `after`."""
    return {"data": await services.memories.page(caller, state, after)}


@router.get("/{memory_id}", summary="One memory")
async def get_memory(memory_id: UUID, caller: TeacherDep, services: ServicesDep) -> Memory:
    """With the traces that it rests on."""
    return await services.memories.get(caller, memory_id)


@router.post("/{memory_id}/review", summary="Decide about a memory")
async def review_memory(
    memory_id: UUID, review: MemoryReview, caller: TeacherDep, services: ServicesDep
) -> Memory:
    """Of one that is held or rolled back: `accept` lets the next sleep cycle learn it; 409 else."""
    return await services.memories.review(caller, memory_id, review)
