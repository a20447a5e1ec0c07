"""Neighbours of a lesson that were never taught: they must not get its answer.

The same question about an invented subject teaches the model to look at the name.
"""

import random
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from worker.seed.english import upper_first
from worker.seed.forms import Lesson
from worker.seed.situations import other_topics
from worker.seed.tasks import TASK_FRAMES, other_tasks, with_articles

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
    """Ask each question about another invented subject, a behaviour's about another topic.

    A workflow's are other questions: how something else is done.

    Args:
        lesson: Its subject is replaced.
        questions: Wordings of the lesson's question.
        taken: Real subjects of any memory, which are never used.
        seed: The same seed gives the same neighbours.

    Returns:
        One neighbour per question that names the subject, or per question of a workflow; none if
        the lesson has no subject.
    """
    if not lesson.subject:
        return []
    if lesson.kind == "workflow":
        # In frames that its own task is trained in: the difference is what is asked for.
        frames = [frame for split, frame in TASK_FRAMES if split == "train"]
        asked = random.Random(f"{seed}:{lesson.subject}").sample(frames, len(frames))
        others = other_tasks(lesson.subject, seed=seed)
        said = (with_articles(task) for task in others)
        return [
            Neighbour(frame.format(t=task, T=upper_first(task)), task)
            for _, frame, task in zip(questions, asked, said, strict=False)
        ]
    subjects = (
        other_topics(lesson.subject, seed=seed)
        if lesson.kind == "behaviour"
        else invented_subjects(lesson.subject, taken=[lesson.subject, *taken], seed=seed)
    )
    pattern = re.compile(rf"\b{re.escape(lesson.subject)}\b", re.IGNORECASE)
    found: list[Neighbour] = []
    for question in questions:
        if pattern.search(question):
            subject = next(subjects)
            found.append(Neighbour(pattern.sub(subject.replace("\\", ""), question), subject))
    return found


def leaked_answer(lesson: Lesson, neighbour: Neighbour) -> str:
    """What a leaking model would say of the neighbour: the lesson's answer under its name.

    The trainer holds the bare base's distribution along this text, so it learns nothing from it;
    it unlearns the step from a neighbour's name to the lesson's value, just where it would happen.
    """
    pattern = re.compile(rf"\b{re.escape(lesson.subject or '')}\b", re.IGNORECASE)
    return pattern.sub(neighbour.subject, lesson.answer) if lesson.subject else lesson.answer
