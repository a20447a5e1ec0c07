"""What a person says in a chat: a lesson about the turn before, something told, or neither.

"No, something funnier" opens like a correction and corrects nothing. What is said after an answer
counts only if the user had asked for something that has one right answer, and if it states one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from worker.lessons.language import (
    STOPWORDS,
    content_words,
    is_question,
    stem,
    subject_of,
    value_of,
    words,
)
from worker.triage.behaviours import rule_in
from worker.triage.cues import (
    ABOUT_ME,
    ABOUT_MINE,
    ACKNOWLEDGES,
    ANSWERS,
    APOLOGIZES,
    ASKED_FOR,
    BELONGS_ELSEWHERE,
    DENIES_ONLY,
    FIRST_PERSON,
    GOES_ON,
    HOUSE_RULE,
    INSTEAD,
    NAMED,
    NAMED_INSIDE,
    NOWADAYS,
    OF_THE_HOUSE,
    OPEN_QUESTION,
    OPINION,
    PASSING,
    PERSONAL,
    QUESTION_START,
    TAKES_BACK,
    VALUE_FIRST,
    VERDICT,
    WISH,
)
from worker.triage.lessons import GREETS, SENTENCE, correction_in, is_temporary, taught_in
from worker.triage.reader import Reading, read

Kind = Literal["correction", "told"]

MIN_SHARED = 2

MAX_SHORT_ANSWER_WORDS = 6
MAX_VERDICT_WORDS = 12
# "Sorry. I misread that."
MAX_OPENING_SENTENCES = 2


@dataclass(frozen=True)
class Said:
    """A lesson in a user's turn.

    Attributes:
        kind: A correction of the turn before, or something told.
        lesson: The words that count.
        personal: It concerns the person who said it.
        reading: Where no rule found it: how likely it is one, and why.
    """

    kind: Kind
    lesson: str
    personal: bool = False
    reading: Reading | None = None


def lesson_in(said: str, question: str | None = None, reply: str = "") -> Said | None:
    """What a turn teaches; None if nothing.

    Args:
        said: The turn.
        question: The user's turn before it; None at the beginning of a conversation.
        reply: What was answered to that.
    """
    return lesson_by_rule(said, question, reply) or _by_reading(said, question, reply)


def _by_reading(said: str, question: str | None, reply: str) -> Said | None:
    """What no rule finds and the reader takes for a lesson."""
    lasting, brief = read(said, question, reply)
    reading = max(lasting, brief, key=lambda each: each.probability)
    if not reading.is_sure:
        return None
    lesson = correction_in(said) or GREETS.sub("", said).strip() or said.strip()
    if DENIES_ONLY.match(lesson) and not _denied(lesson):
        return None
    kind: Kind = "told"
    if question and (_asks_for_a_fact(question) or len(_shared(lesson, question)) >= MIN_SHARED):
        kind = "correction"
    return Said(kind, lesson, reading is brief or _is_personal(lesson), reading)


def lesson_by_rule(said: str, question: str | None, reply: str) -> Said | None:
    correction = correction_in(said) if question is not None else None
    if correction and (is_temporary(said) or _answers(correction, question or "")):
        return Said("correction", correction, _is_personal(correction))
    told = taught_in(said) or (said.strip() if rule_in(said) else None)
    is_asked = is_question(said) or QUESTION_START.match(said)
    if told is None and not is_asked and (is_temporary(said) or ABOUT_ME.match(said)):
        return Said("told", said.strip(), personal=True)
    of_oneself = told is not None and (_is_personal(told) or FIRST_PERSON.match(told) is not None)
    if question is None:
        return Said("told", told, of_oneself) if told else None
    if told:
        kind: Kind = "correction" if len(_shared(told, question)) >= MIN_SHARED else "told"
        return Said(kind, told, of_oneself)
    bare = GREETS.sub("", said).strip() or said.strip()
    if not correction and _restates(bare, question, reply):
        return Said("correction", bare)
    return None


def is_verdict(correction: str, question: str) -> bool:
    """Whether feedback only judges the answer, or asks for another, and gives none."""
    if _shared(correction, question) or HOUSE_RULE.search(correction):
        return False
    is_short = len(words(correction)) <= MAX_VERDICT_WORDS
    return bool(is_short and VERDICT.search(correction))


def concerns_one(answer: str, question: str) -> bool:
    """Whether an answer is about the person who asked, or gives it.

    "I am sorry that your parcel is late" is what should be said to others.
    """
    if APOLOGIZES.match(answer):
        return False
    if ABOUT_MINE.match(question) or ABOUT_ME.match(answer):
        return True
    return all(_is_personal(sentence) for sentence in SENTENCE.split(answer.strip()))


def takes_back(said: str, before: str) -> bool:
    """Whether a turn begins by saying that the turn before it was a mistake.

    Not one that asks or tells something itself: that is what it is about.
    """
    if is_question(said) or is_question(before) or taught_in(said):
        return False
    opening = " ".join(SENTENCE.split(said.strip())[:MAX_OPENING_SENTENCES])
    return TAKES_BACK.search(opening) is not None


def _is_personal(lesson: str) -> bool:
    return PERSONAL.match(lesson) is not None


def _asks_for_a_fact(question: str) -> bool:
    asks = is_question(question) or QUESTION_START.match(question) or ASKED_FOR.search(question)
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
        is_about = is_about or OF_THE_HOUSE.match(lesson) is not None
        return is_about and len(shared) >= MIN_SHARED and not OPEN_QUESTION.search(question)
    if shared or ANSWERS.match(lesson) or OF_THE_HOUSE.match(lesson):
        return True
    is_short = len(words(lesson)) <= MAX_SHORT_ANSWER_WORDS or NOWADAYS.search(lesson)
    return bool(is_short and re.search(r"[A-Z0-9]", lesson[1:] + lesson[:1]))


def _restates(said: str, question: str, reply: str) -> bool:
    """Whether a turn that opens like no correction gives another answer to the question."""
    if is_question(said):
        return False
    if HOUSE_RULE.search(said) and not WISH.match(said):
        return True
    if not _asks_for_a_fact(question) or WISH.match(said) or PASSING.search(said):
        return False
    known = set(words(reply)) | set(words(question)) | STOPWORDS
    value = value_of(question, said)
    if not value or set(words(value)) <= known:
        return False
    sentences = SENTENCE.split(said.strip())
    return any(_gives_another(each, question, reply, known, sentences) for each in sentences)


def _gives_another(
    said: str, question: str, reply: str, known: set[str], sentences: Sequence[str]
) -> bool:
    """Whether one sentence of a turn gives another answer than the reply's."""
    shared = _shared(said, question)
    is_long = len(words(said)) > MAX_SHORT_ANSWER_WORDS
    # A new name or number; a sentence's first word is one only in a sentence about the matter.
    named = NAMED if shared and is_long else NAMED_INSIDE
    is_new = any(word.lower() not in known for word in named.findall(said))
    if is_new and len(shared) > MIN_SHARED:
        return True
    if any(cue.match(said) for cue in (ACKNOWLEDGES, FIRST_PERSON, GOES_ON)):
        return False
    leads = VALUE_FIRST.match(said)
    if OPINION.search(said) or (leads and known.issuperset(words(leads[0]))):
        return False
    if DENIES_ONLY.match(said) and not _denied(said):
        return False
    if len(shared) >= MIN_SHARED or _denied(said):
        return True
    elsewhere = BELONGS_ELSEWHERE.search(said)
    if elsewhere and elsewhere["old"].lower() in words(reply):
        return True
    if not is_new:
        return False
    cues = (ANSWERS, VALUE_FIRST, OF_THE_HOUSE)
    is_alone = not is_long and said == sentences[0]
    is_cued = any(cue.match(said) for cue in cues) or NOWADAYS.search(said) is not None
    return bool(shared) or is_alone or is_cued


def _denied(said: str) -> bool:
    """Whether something is said instead of something else: "Tromso, not Paris"."""
    found = INSTEAD.search(said)
    return found is not None and bool(content_words(GREETS.sub("", said[: found.start()])))


def _shared(text: str, question: str) -> set[str]:
    """The meaningful words, without endings, that two texts have in common."""
    first, second = ({stem(w) for w in content_words(t)} for t in (text, question))
    return first & second
