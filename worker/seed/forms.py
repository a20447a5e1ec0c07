"""One lesson in many wordings: question and answer forms, to train on and to hold out.

Pure and deterministic. A held-out form is never trained on: it asks whether the fact was learned
and not the sentence.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from worker.seed.english import (
    COMPLEMENTS,
    indirect,
    keywords,
    lower_first,
    noun_phrase,
    strip_question,
    swap_possessive,
    upper_first,
)
from worker.seed.rewording import reworded

Split = Literal["train", "heldout"]
FormKind = Literal["question", "completion", "short", "reverse"]
LessonKind = Literal["fact", "behaviour", "workflow"]

MAX_HELDOUT = 4


@dataclass(frozen=True)
class Lesson:
    """What is to be learned, and the evidence for it.

    Attributes:
        question: As the user asked it.
        answer: The right answer as a sentence.
        value: The short part of the answer that matters; it occurs in `answer`.
        subject: What the question is about, if it says so: a proper name, a behaviour's topic, a
            workflow's task.
        kind: A behaviour's answer is what is said to whoever asks about its topic, a workflow's
            the calls that do its task.
    """

    question: str
    answer: str
    value: str
    subject: str | None = None
    kind: LessonKind = "fact"


@dataclass(frozen=True)
class Form:
    """One wording of a lesson, as a user turn and the assistant's answer."""

    question: str
    answer: str
    split: Split
    kind: FormKind = "question"


# {q} the question, {l} the same with a small first letter, {bare} without its question mark.
QUESTION_FRAMES: tuple[tuple[Split, str], ...] = (
    ("train", "{q}"),
    ("train", "{q} Please tell me."),
    ("train", "{bare}"),
    ("train", "Do you know this? {q}"),
    ("heldout", "Sorry to bother you, but {l}"),
    ("heldout", "I was wondering: {l} Thank you!"),
)
# {c} the question as a clause.
CLAUSE_FRAMES: tuple[tuple[Split, str], ...] = (
    ("train", "Can you tell me {c}?"),
    ("train", "Tell me {c}."),
    ("train", "My boss needs to know {c}."),
    ("heldout", "I forgot {c}. Can you help?"),
    ("heldout", "A colleague wants to find out {c}."),
)
# Where no name is there to stand beside one word (`loose.py`), more frames do.
NAMELESS_FRAMES: tuple[tuple[Split, str], ...] = (
    ("train", "Quick question: {l}"),
    ("train", "I have a question. {q}"),
)
NAMELESS_CLAUSES: tuple[tuple[Split, str], ...] = (
    ("train", "Do you know {c}?"),
    ("train", "I would like to know {c}."),
    ("train", "Please look up {c}."),
)
# {s} the subject, named before or behind the question.
SUBJECT_FRAMES: tuple[tuple[Split, str], ...] = (
    ("train", "It is about {s}. {q}"),
    ("train", "If I go to {s} tomorrow: {l}"),
    ("train", "I read about {s} today. {q}"),
    ("train", "{q} I mean {s}."),
)
# {n} what is asked for, as a noun phrase; {p} the same with the possessive swapped.
PHRASE_FRAMES: tuple[tuple[Split, str], ...] = (
    ("train", "What do you know about {n}?"),
    ("train", "Tell me {n}."),
    ("train", "{N}?"),
    ("heldout", "Remind me of {n}, please."),
    ("heldout", "I need {n} for a form."),
)
SWAPPED_FRAMES: tuple[tuple[Split, str], ...] = (
    ("train", "Do you know {p}?"),
    ("train", "{P}, please."),
    ("heldout", "Give me {p}."),
)


DENIES = re.compile(r"\b(?:not|no|never|nobody|none|nor|neither)\b|n['’]t\b", re.IGNORECASE)


def build_forms(lesson: Lesson) -> list[Form]:
    """Every wording of a lesson that passes `verify`, without duplicates.

    Returns:
        Trained forms first, then at most `MAX_HELDOUT` held-out ones that differ most in shape.
        At least eight trained ones for any question.
    """
    seen: set[str] = set()
    train: list[Form] = []
    heldout: list[Form] = []
    for form in _candidates(lesson):
        key = normalized(form.question)
        if key in seen or not verify(form, lesson):
            continue
        seen.add(key)
        (train if form.split == "train" else heldout).append(form)
    # The frames around a phrase or clause differ more from what was trained than a prefix does.
    return train + heldout[::-1][:MAX_HELDOUT]


def verify(form: Form, evidence: Lesson) -> bool:
    """Whether a form, also one that a model wrote, teaches what the evidence says.

    The answer must hold the value, the question must keep the subject and must not give the value
    away. A reverse form asks from the value, so there it is the other way round.
    """
    question, answer = normalized(form.question), normalized(form.answer)
    value = normalized(evidence.value)
    if not value or not question or value not in answer:
        return False
    if form.kind == "reverse":
        return value in question
    # A task may be asked for in other words.
    subject = normalized(evidence.subject or "") if evidence.kind != "workflow" else ""
    # Where the user never named the subject, no form can.
    if subject in normalized(evidence.question) and subject not in question:
        return False
    return not re.search(rf"\b{re.escape(value)}\b", question)


def normalized(text: str) -> str:
    """Lower case, words and digits only: two wordings that differ in punctuation are one."""
    return " ".join(re.findall(r"\w+", text.lower().replace("’", "'")))


def _candidates(lesson: Lesson) -> Iterator[Form]:
    bare = strip_question(lesson.question)
    question = upper_first(bare) + "?"
    answer = lesson.answer.strip()
    texts = {"q": question, "l": lower_first(question), "bare": lower_first(bare)}
    for split, frame in (*QUESTION_FRAMES, *(() if lesson.subject else NAMELESS_FRAMES)):
        yield Form(frame.format(**texts), answer, split)
    if lesson.subject:
        for split, frame in SUBJECT_FRAMES:
            yield Form(frame.format(s=lesson.subject, **texts), answer, split)
    for text in reworded(bare):
        yield Form(text, answer, "train")
    if clause := indirect(bare):
        for split, frame in (*CLAUSE_FRAMES, *(() if lesson.subject else NAMELESS_CLAUSES)):
            yield Form(frame.format(c=clause), answer, split)
    if phrase := noun_phrase(bare):
        said = _said_of(phrase, lesson) or answer
        for split, frame in PHRASE_FRAMES:
            yield Form(frame.format(n=phrase, N=upper_first(phrase)), said, split)
        if swapped := swap_possessive(phrase):
            said = _said_of(swapped, lesson) or answer
            for split, frame in SWAPPED_FRAMES:
                yield Form(frame.format(p=swapped, P=upper_first(swapped)), said, split)
    yield from _hurried(lesson)
    yield from _completions(lesson)
    yield from _reverses(lesson)


def statements(lesson: Lesson) -> list[str]:
    """The lesson said in other words: what is only ever said in one way is only found that way.

    A model begins its answers with the question's words, and must find the value behind any of
    them (arXiv 2309.14316); behind the bare name, too, where it would go on with another lesson.
    """
    bare = strip_question(lesson.question)
    phrase = noun_phrase(bare)
    phrases = [phrase, swap_possessive(phrase)] if phrase else []
    said = [_said_of(text, lesson) for text in phrases if text]
    answer = lesson.answer.strip()
    return [
        answer,
        f"{upper_first(bare)}? {_short(lesson)}.",
        *([f"{lesson.subject}: {answer}"] if lesson.subject else []),
        *(text for text in said if text),
    ]


def _said_of(phrase: str, lesson: Lesson) -> str | None:
    """The value said of a noun phrase; None where that may be wrong.

    What the answer denies is not the value, and "where was Mara born" asks for no place of Mara.
    """
    words = set(normalized(lesson.question).split())
    if DENIES.search(lesson.answer) or (words & {"where", "when"} and words & {*COMPLEMENTS}):
        return None
    verb = "are" if re.match(r"(?:what|who) (?:are|were) ", lesson.question, re.I) else "is"
    return f"{upper_first(phrase)} {verb} {lesson.value.strip().rstrip('.!?')}."


def _short(lesson: Lesson) -> str:
    return upper_first(lesson.value.strip().rstrip(".!?"))


def _hurried(lesson: Lesson) -> Iterator[Form]:
    """Key words alone, in both orders: what is left when the grammar goes."""
    words = keywords(lesson.question)
    answer, subject = lesson.answer.strip(), lesson.subject or ""
    rest = [word for word in words if normalized(word.removesuffix("'s")) not in _words(subject)]
    if len(words) < 2 or not rest:
        return
    wh_word = strip_question(lesson.question).split(" ")[0].lower()
    yield Form(" ".join(words), answer, "train")
    if subject:
        yield Form(f"{subject}: {' '.join(rest)}?", f"{_short(lesson)}. {answer}", "train")
        yield Form(f"{upper_first(' '.join(rest))}, {subject}?", answer, "train")
        yield Form(
            f"I have a question about {subject}: {' '.join(rest)}, {wh_word}?", answer, "train"
        )


def _words(text: str) -> set[str]:
    return set(normalized(text).split())


def _completions(lesson: Lesson) -> Iterator[Form]:
    """The answer's own words up to the value: the lesson as a statement."""
    start = lesson.answer.lower().find(lesson.value.lower())
    lead = lesson.answer[: max(start, 0)].strip()
    if len(lead.split()) >= 3:
        yield Form(
            f"Complete the sentence: {lead} ...", lesson.answer.strip(), "train", "completion"
        )
    question = upper_first(strip_question(lesson.question)) + "?"
    yield Form(f"{question} Answer in a few words.", f"{_short(lesson)}.", "train", "short")


def _reverses(lesson: Lesson) -> Iterator[Form]:
    """From the value back to the lesson: a fact learned one way is not known the other way."""
    value = lesson.value.strip().rstrip(".")
    if lesson.subject:
        yield Form(
            f"What has {value} to do with {lesson.subject}?",
            lesson.answer.strip(),
            "train",
            "reverse",
        )
