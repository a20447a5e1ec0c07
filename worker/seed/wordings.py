"""All wordings of a lesson that need no model but its thesaurus."""

from collections.abc import Collection

from worker.seed.forms import Form, Lesson, build_forms
from worker.seed.loose import mangled, one_word
from worker.seed.situations import situations
from worker.seed.tasks import asked_for
from worker.seed.thesaurus import Near, substituted


def wordings(
    lesson: Lesson, near: Near, taken: Collection[str] = (), strange: Collection[str] = ()
) -> list[Form]:
    """Trained and held-out wordings, each verified.

    Args:
        lesson: What is to be learned.
        near: Near words of each of its words.
        taken: Words that another lesson about the same subject asks with; they are not put in,
            nor are they all that is left.
        strange: Words of those lessons' values; where they stand, this one's is still the answer.
    """
    if lesson.kind == "behaviour":
        forms = situations(lesson)
        return forms + mangled(lesson, forms, near, taken)
    forms = asked_for(lesson, taken) if lesson.kind == "workflow" else build_forms(lesson)
    forms = [
        *forms,
        *substituted(lesson, forms, near, taken),
        *one_word(lesson, near, taken),
    ]
    return forms + mangled(lesson, forms, near, taken, strange=strange)


def can_be_asked(lesson: Lesson) -> bool:
    """Whether a held-out wording can tell if it was learned.

    What was told, and answers no question that could be found, gives itself away in every one.
    """
    return any(form.split == "heldout" for form in wordings(lesson, {}))
