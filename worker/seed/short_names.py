"""The same question of a name as people shorten it: "the Copper Heron" for the Copper Heron Hotel.

What kind of thing it is goes without saying for whoever knows it.
"""

import random
import re
from collections.abc import Collection, Sequence

from worker.seed.forms import Form, Lesson, normalized
from worker.seed.others import FIRMS, KINDS

NUM_SHORT = 10


def short_name(subject: str, others: Collection[str]) -> str | None:
    """The name without the word that says what it is; None where it has none.

    Args:
        subject: The name.
        others: Subjects of other lessons: what shortens two names names neither.
    """
    *rest, last = subject.split() or [""]
    kind = last.lower()
    is_kind = kind in FIRMS or kind in KINDS or kind.removesuffix("s") in KINDS
    if not is_kind or not any(word[:1].isupper() for word in rest):
        return None
    short = " ".join(rest)
    begin = f"{normalized(short)} "
    own = normalized(subject)
    if any(
        f"{normalized(other)} ".startswith(begin) for other in others if normalized(other) != own
    ):
        return None
    return short


def shortened(lesson: Lesson, forms: Sequence[Form], others: Collection[str]) -> list[Form]:
    """At most `NUM_SHORT` of the lesson's trained questions with its name shortened."""
    if lesson.kind != "fact" or (short := short_name(lesson.subject or "", others)) is None:
        return []
    whole = re.compile(rf"\b{re.escape(lesson.subject or '')}\b", re.IGNORECASE)
    seen = {normalized(form.question) for form in forms}
    found: dict[str, Form] = {}
    drawn_from = [form for form in forms if form.split == "train" and form.kind == "question"]
    for form in random.Random(lesson.question).sample(drawn_from, len(drawn_from)):
        question = whole.sub(lambda _: short, form.question)
        if question != form.question and normalized(question) not in seen:
            found.setdefault(normalized(question), Form(question, form.answer, "train"))
        if len(found) == NUM_SHORT:
            break
    return list(found.values())
