"""The screens on a lesson as it is stated: whoever said it, and however often."""

from shared.contracts.memories import HeldFor
from worker.lessons.stated import Stated
from worker.screens.languages import COVERED, language_of
from worker.screens.patterns import why_unfit
from worker.screens.private import why_private

# How a code is said to people.
CODES = ", ".join(language.name.capitalize() for language in COVERED)


def why_doubted(lesson: Stated) -> tuple[HeldFor, str] | None:
    """What a lesson that may hold something unfit is held for, and why; None if for nothing."""
    said = f"{lesson.question}\n{lesson.answer}"
    if lesson.kind == "workflow":
        return ("screen", f"it {unfit}") if (unfit := why_unfit(said)) else None
    if unfit := why_unfit(f"{said}\n{lesson.value}"):
        return "screen", f"it {unfit}"
    language = language_of(said.replace("\n", " "))
    if language != "en":
        return "language", f"it is in a language ({language}) that no screen reads, only {CODES}"
    if private := why_private(lesson.question, lesson.answer):
        return "screen", f"it {private}"
    return None
