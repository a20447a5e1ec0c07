"""The screens on a lesson as it stands in a memory: whoever said it, and however often."""

from shared.contracts.memories import HeldFor, Memory
from worker.screens.languages import COVERED, language_of
from worker.screens.patterns import why_unfit
from worker.screens.private import why_private

# How a code is said to people.
CODES = ", ".join(language.name.capitalize() for language in COVERED)


def why_doubted(memory: Memory) -> tuple[HeldFor, str] | None:
    """What a lesson is held for that may hold what must not be taught, and why; None if for nothing."""
    said = f"{memory.question}\n{memory.answer}"
    if memory.kind == "workflow":
        return ("screen", f"it {unfit}") if (unfit := why_unfit(said)) else None
    if unfit := why_unfit(f"{said}\n{memory.value}"):
        return "screen", f"it {unfit}"
    language = language_of(said.replace("\n", " "))
    if language != "en":
        return "language", f"it is in a language ({language}) that no screen reads, only {CODES}"
    if private := why_private(memory.question, memory.answer):
        return "screen", f"it {private}"
    return None
