"""The screens on a lesson as it stands in a memory: whoever said it, and however often."""

from shared.contracts.memories import Memory
from worker.screens.patterns import why_unfit


def why_doubted(memory: Memory) -> str | None:
    """Why a lesson may hold what must not be taught; None where no screen finds anything."""
    return why_unfit(f"{memory.question}\n{memory.answer}\n{memory.value}")


def why_person(memory: Memory) -> str | None:
    """Why a lesson always needs a teacher or a reviewer; None where authors are enough."""
    return None
