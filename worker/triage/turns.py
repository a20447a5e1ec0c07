"""What a person says in a chat: a lesson about the turn before, something told, or neither.

"No, something funnier" opens like a correction and corrects nothing. What is said after an answer
counts only if the user had asked for something that has one right answer, and if it states one.
"""

import re
from dataclasses import dataclass
from typing import Literal

from worker.triage.cues import (
    ACKNOWLEDGES,
    ANSWERS,
    DENIES_ONLY,
    FIRST_PERSON,
    HOUSE_RULE,
    INSTEAD,
    NAMED,
    NAMED_INSIDE,
    OPEN_QUESTION,
    OPINION,
    PASSING,
    PERSONAL,
    QUESTION_START,
    VERDICT,
    WISH,
)
from worker.triage.language import (
    STOPWORDS,
    content_words,
    correction_in,
    is_question,
    is_temporary,
    stem,
    subject_of,
    taught_in,
    value_of,
    words,
)

Kind = Literal["correction", "told"]

MIN_SHARED = 2

MAX_SHORT_ANSWER_WORDS = 6
MAX_VERDICT_WORDS = 12


@dataclass(frozen=True)
class Said:
    """A lesson in a user's turn.

    Attributes:
        kind: A correction of the turn before, or something told.
        lesson: The words that count.
        personal: It concerns the person who said it.
    """

    kind: Kind
    lesson: str
    personal: bool = False


def lesson_in(said: str, question: str | None = None, reply: str = "") -> Said | None:
    """What a turn teaches; None if nothing.

    Args:
        said: The turn.
        question: The user's turn before it; None at the beginning of a conversation.
        reply: What was answered to that.
    """
    told = taught_in(said)
    if question is None:
        return Said("told", told, _is_personal(told)) if told else None
    correction = correction_in(said)
    if correction and (is_temporary(said) or _answers(correction, question)):
        return Said("correction", correction, _is_personal(correction))
    if told:
        kind: Kind = "correction" if len(_shared(told, question)) >= MIN_SHARED else "told"
        return Said(kind, told, _is_personal(told))
    if not correction and _restates(said, question, reply):
        return Said("correction", said.strip())
    return None


def is_verdict(correction: str, question: str) -> bool:
    """Whether feedback only judges the answer, or asks for another, and gives none."""
    if _shared(correction, question) or HOUSE_RULE.search(correction):
        return False
    is_short = len(words(correction)) <= MAX_VERDICT_WORDS
    return bool(is_short and VERDICT.search(correction))


def _is_personal(lesson: str) -> bool:
    return PERSONAL.match(lesson) is not None


def _asks_for_a_fact(question: str) -> bool:
    asks = is_question(question) or QUESTION_START.match(question)
    return bool(asks) and not OPEN_QUESTION.search(question)


def _answers(lesson: str, question: str) -> bool:
    """Whether a lesson could be the right answer to the question."""
    if _is_personal(lesson):
        return is_question(question)
    if any(pattern.match(lesson) for pattern in (FIRST_PERSON, DENIES_ONLY, WISH)):
        return False
    if OPINION.search(lesson):
        return False
    if HOUSE_RULE.search(lesson):
        return True
    shared = _shared(lesson, question)
    if not _asks_for_a_fact(question):
        subject = subject_of(question, lesson)
        is_about = bool(subject) and subject.lower() in lesson.lower()
        return is_about and len(shared) >= MIN_SHARED and not OPEN_QUESTION.search(question)
    if shared or ANSWERS.match(lesson):
        return True
    is_short = len(words(lesson)) <= MAX_SHORT_ANSWER_WORDS
    return is_short and re.search(r"[A-Z0-9]", lesson[1:] + lesson[:1]) is not None


def _restates(said: str, question: str, reply: str) -> bool:
    """Whether a turn that opens like no correction gives another answer to the question."""
    if is_question(said) or ACKNOWLEDGES.match(said) or FIRST_PERSON.match(said):
        return False
    if HOUSE_RULE.search(said) and not WISH.match(said):
        return True
    if not _asks_for_a_fact(question) or WISH.match(said) or OPINION.search(said):
        return False
    if PASSING.search(said) or (DENIES_ONLY.match(said) and not INSTEAD.search(said)):
        return False
    known = set(words(reply)) | set(words(question)) | STOPWORDS
    value = value_of(question, said)
    if not value or set(words(value)) <= known:
        return False
    shared = _shared(said, question)
    if len(shared) >= MIN_SHARED or INSTEAD.search(said):
        return True
    # A new name or number; a sentence's first word is one only in a sentence about the matter.
    named = NAMED if shared else NAMED_INSIDE
    is_new = any(word.lower() not in known for word in named.findall(said))
    is_short = len(words(said)) <= MAX_SHORT_ANSWER_WORDS
    return is_new and (bool(shared) or is_short or ANSWERS.match(said) is not None)


def _shared(text: str, question: str) -> set[str]:
    """The meaningful words, without endings, that two texts have in common."""
    first, second = ({stem(w) for w in content_words(t)} for t in (text, question))
    return first & second
