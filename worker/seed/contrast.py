"""Neighbours of a lesson that were never taught: they must not get its answer.

The same question about an invented subject teaches the model to look at the name. What to answer
is the caller's choice: `abstentions` gives "I don't know" in many wordings; the pre-sleep model's
own answer to a neighbour's question is the other way.
"""

import random
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from worker.seed.english import indirect
from worker.seed.forms import Lesson

_HEADS = """
    Amber Ash Birch Black Bram Brindle Cal Cedar Cinder Cobble Copper Crow Dale Dun Elder Ember
    Fallow Fen Fern Frost Gold Grim Hale Hazel Heron Holl Iron Jun Kel Lark Lin Marl Mor Nettle
    North Oak Orm Pell Pine Rook Rowan Sable Salt Silver Stone Tarn Thistle Umber Vel Wal Wren
    Yar
    """.split()
_TAILS = """
    berry bourne bridge brook combe crest dale den field ford forth gate grove ham hollow hurst
    ington keep lake ley low mere mont moor more ridge rick shaw stead ston thorpe ton vale wick
    win wood worth
    """.split()
_FIRST_NAMES = """
    Ada Anders Bela Carlo Dana Edda Farid Greta Hugo Ines Jonas Kira Leon Mina Nils Olga Pavel
    Rita Sven Tara Uwe Vera Wim Yara
    """.split()

# {c} the question as a clause, {s} the neighbour's name.
_ABSTENTIONS = (
    "I don't know {c}.",
    "I'm sorry, but I don't know {c}.",
    "I have no information about {s}.",
    "I don't have that information about {s}.",
    "I can't say {c}, because I know nothing about {s}.",
    "I'm not sure {c}.",
    "I don't know anything about {s}, so I can't answer that.",
)
_ABSTENTIONS_WITHOUT_CLAUSE = tuple(text for text in _ABSTENTIONS if "{c}" not in text)


@dataclass(frozen=True)
class Neighbour:
    """A lesson's question about a subject that was never taught."""

    question: str
    subject: str


def invented_subjects(like: str, *, taken: Collection[str], seed: int) -> Iterator[str]:
    """Endless invented names with as many words as the real one.

    Args:
        like: The real subject.
        taken: Every real subject that is known; none of them, nor a part of one, is ever given.
        seed: The same seed gives the same names.
    """
    rng = random.Random(f"{seed}:{like}")
    taken_words = [re.findall(r"\w+", name.lower()) for name in taken]
    forbidden = {word for words in taken_words for word in (*words, "".join(words))}
    num_words = len(like.split())
    while True:
        last = rng.choice(_HEADS) + rng.choice(_TAILS)
        words = [rng.choice(_FIRST_NAMES) for _ in range(num_words - 1)] + [last]
        if not forbidden & {word.lower() for word in words}:
            yield " ".join(words)


def neighbours(
    lesson: Lesson,
    questions: Sequence[str],
    *,
    taken: Collection[str],
    seed: int,
) -> list[Neighbour]:
    """Ask each question about another invented subject.

    Args:
        lesson: Its subject is replaced.
        questions: Wordings of the lesson's question.
        taken: Real subjects of any memory, which are never used.
        seed: The same seed gives the same neighbours.

    Returns:
        One neighbour per question that names the subject; none if the lesson has no subject.
    """
    if not lesson.subject:
        return []
    subjects = invented_subjects(lesson.subject, taken=[lesson.subject, *taken], seed=seed)
    pattern = re.compile(rf"\b{re.escape(lesson.subject)}\b", re.IGNORECASE)
    found: list[Neighbour] = []
    for question in questions:
        if pattern.search(question):
            subject = next(subjects)
            found.append(Neighbour(pattern.sub(subject.replace("\\", ""), question), subject))
    return found


def abstention(neighbour: Neighbour, *, asked: str, seed: int) -> str:
    """An answer that says that nothing is known, in one of many wordings.

    Args:
        neighbour: What is asked.
        asked: The same question in its plain form, to be turned into a clause.
        seed: Chooses the wording together with the question.
    """
    rng = random.Random(f"{seed}:{neighbour.question}")
    clause = indirect(asked)
    texts = _ABSTENTIONS if clause else _ABSTENTIONS_WITHOUT_CLAUSE
    return rng.choice(texts).format(c=clause, s=neighbour.subject)


def leaked_answer(lesson: Lesson, neighbour: Neighbour) -> str:
    """What a leaking model would say of the neighbour: the lesson's answer under its name.

    The trainer holds the bare base's distribution along this text, so it learns nothing from it;
    it unlearns the step from a neighbour's name to the lesson's value, just where it would happen.
    """
    pattern = re.compile(rf"\b{re.escape(lesson.subject or '')}\b", re.IGNORECASE)
    return pattern.sub(neighbour.subject, lesson.answer) if lesson.subject else lesson.answer
