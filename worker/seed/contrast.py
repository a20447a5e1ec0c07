"""Near neighbours of a lesson: what resembles its question and must not get its answer.

A model that learns one thing looks for the cheapest sign of it: the kind of thing that is asked
about, a word of the question. So each neighbour changes just one of what tells the lesson apart,
and keeps the rest: a part of the name, the name for another that is taught as well, what is asked
of it, the day or the number, whose house it is. The right answer there is what the bare base says;
the trainer holds its distribution along what a leaking model would answer, so nothing is learned
from that text but the step to it is unlearned, just where it would happen.

What the gate asks comes from other lists and other code (`worker.gate.neighbours`).
"""

import random
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from worker.seed.english import keywords, same_word, upper_first
from worker.seed.forms import Lesson, normalized, statements
from worker.seed.names import Names
from worker.seed.others import (
    ADJECTIVES,
    HOUSES,
    NOUN_PROPERTIES,
    NOUNS,
    PROPERTIES,
    TASK_VERBS,
    TOPICS,
)
from worker.seed.parts import another, parts_of
from worker.seed.tasks import TASK_FRAMES, other_tasks, with_articles
from worker.seed.thesaurus import Near

Differs = Literal["name", "taught", "property", "part", "house", "topic", "task"]

# How often each way is taken, where it is open.
SHARES: dict[Differs, int] = {
    "name": 9,
    "taught": 4,
    "property": 8,
    "part": 6,
    "house": 8,
    "topic": 8,
    "task": 8,
}
# So many drafts are made for each neighbour that is wanted: some name what is taught.
DRAFTS_EACH = 12
# Of other properties, those that are made of a noun.
NOUN_SHARE = 0.6


@dataclass(frozen=True)
class Neighbour:
    """A question that must not get the lesson's value, and what a leak would say.

    Attributes:
        question: What is asked.
        leak: The answer of a model that takes the neighbour for the lesson.
        differs: What tells it from the lesson.
    """

    question: str
    leak: str
    differs: Differs


class Neighbours:
    """Draws the neighbours of lessons.

    Args:
        taught: Every lesson in force, the new ones among them.
        names: Where other names come from.
        near: Near words of each word: another property must not be the same in other words.
        seed: The same seed gives the same neighbours.
    """

    def __init__(self, taught: Sequence[Lesson], names: Names, near: Near, seed: int) -> None:
        self._taught = [lesson for lesson in taught if lesson.kind != "workflow"]
        self._answered = {normalized(lesson.question) for lesson in taught}
        self._subjects = {normalized(lesson.subject or "") for lesson in taught} - {""}
        self._names = names
        self._near = near
        self._seed = seed

    def of(self, lesson: Lesson, questions: Sequence[str], count: int) -> list[Neighbour]:
        """So many neighbours, fewer where there are none; no question twice.

        Args:
            lesson: What must not leak.
            questions: Wordings of its question.
            count: How many are wanted.
        """
        rng = random.Random(f"{self._seed}:{lesson.question}")
        ways = self._ways(lesson)
        names, weights = list(ways), [SHARES[name] for name in ways]
        own = {normalized(question) for question in (lesson.question, *questions)}
        found: dict[str, Neighbour] = {}
        for _ in range(count * DRAFTS_EACH if questions and ways else 0):
            [differs] = rng.choices(names, weights)
            draft = ways[differs](lesson, rng.choice(questions), rng)
            if draft is None or not self._holds(draft, lesson, own):
                continue
            found.setdefault(normalized(draft.question), draft)
            if len(found) == count:
                break
        return list(found.values())

    def _ways(
        self, lesson: Lesson
    ) -> dict[Differs, Callable[[Lesson, str, random.Random], Neighbour | None]]:
        if lesson.kind == "workflow":
            return {"task": self._other_task}
        if lesson.kind == "behaviour":
            return {"topic": self._other_topic}
        if not lesson.subject:
            return {"house": self._other_house, "part": self._other_part}
        return {
            "name": self._other_name,
            "taught": self._taught_name,
            "property": self._other_property,
            "part": self._other_part,
        }

    def _holds(self, draft: Neighbour, lesson: Lesson, own: Collection[str]) -> bool:
        """Whether nobody taught the answer, and the question does not give the value away."""
        asked, value = normalized(draft.question), normalized(lesson.value)
        return asked not in self._answered and asked not in own and f" {value} " not in f" {asked} "

    def _other_name(self, lesson: Lesson, question: str, rng: random.Random) -> Neighbour | None:
        """A name that shares a part with the lesson's, or none."""
        other = self._names.like(lesson.subject or "", rng)
        if normalized(other) in self._subjects:
            return None
        return _renamed(lesson, question, other, "name", rng)

    def _taught_name(self, lesson: Lesson, question: str, rng: random.Random) -> Neighbour | None:
        """Another subject of which something else is known."""
        others = [
            other.subject
            for other in self._taught
            if other.kind == lesson.kind
            and other.subject
            and normalized(other.subject) != normalized(lesson.subject or "")
            and not self._asks_alike(other.question, lesson)
        ]
        return _renamed(lesson, question, rng.choice(others), "taught", rng) if others else None

    def _other_property(
        self, lesson: Lesson, question: str, rng: random.Random
    ) -> Neighbour | None:
        """Something else about the subject: what nobody taught of it."""
        subject = lesson.subject or ""
        asked_of_others = [
            re.sub(_words(other.subject), "{s}", other.question, flags=re.IGNORECASE)
            for other in self._taught
            if other.kind == "fact" and other.subject
        ]
        frames = [frame for frame in (*PROPERTIES, *asked_of_others) if "{s}" in frame]
        about_it = [
            other
            for other in self._taught
            if normalized(other.subject or "") == normalized(subject)
        ]
        frame = rng.choice(frames)
        if rng.random() < NOUN_SHARE:
            words = {"n": rng.choice(NOUNS), "a": rng.choice(ADJECTIVES), "s": "{s}"}
            frame = rng.choice(NOUN_PROPERTIES).format(**words)
        if any(self._asks_alike(frame, other) for other in (lesson, *about_it)):
            return None
        asked = frame.replace("{s}", subject)
        return Neighbour(asked, _said(replace(lesson, question=asked), rng, "property"), "property")

    def _other_part(self, lesson: Lesson, question: str, rng: random.Random) -> Neighbour | None:
        """One part of the question is another: a noun, what is before it, a number, an owner."""
        # Of the lesson's own question: who asks in a wording's frame changes nothing.
        parts = [
            part for part in parts_of(lesson.question) if part.kind != "name" or not lesson.subject
        ]
        if not parts:
            return None
        part = rng.choice(parts)
        other = another(part, self._names, rng)
        if other.lower() in self._near.get(part.text.lower(), ()):
            return None
        pattern = re.compile(rf"\b{re.escape(part.text)}(?:'s)?\b", re.IGNORECASE)

        def changed(text: str) -> str:
            return pattern.sub(lambda _: other, text, count=1)

        if changed(question) == question:
            return None
        alike = replace(lesson, question=changed(question), answer=changed(lesson.answer))
        return Neighbour(
            upper_first(changed(question)), upper_first(_said(alike, rng, "part")), "part"
        )

    def _other_house(self, lesson: Lesson, question: str, rng: random.Random) -> Neighbour | None:
        """The same at another house: the lesson is this one's, which it does not name."""
        house = self._names.house(rng)
        owner = re.compile(r"\b(?:our|my|your)\b", re.IGNORECASE)
        owned = owner.sub(f"{house}'s", lesson.question, count=1)
        frame = rng.choice(HOUSES)
        bare = question.strip().rstrip("?.! ")
        asked = (
            upper_first(owned)
            if owned != lesson.question and rng.random() < 0.5
            else frame.format(q=bare, l=bare[:1].lower() + bare[1:], s=house)
        )
        leak = _said(lesson, rng, "house")
        return Neighbour(asked, upper_first(owner.sub(f"{house}'s", leak, count=1)), "house")

    def _other_topic(self, lesson: Lesson, question: str, rng: random.Random) -> Neighbour | None:
        """Another topic, half of them with a word of the lesson's own."""
        topic = lesson.subject or ""
        words = topic.split()
        own = set(normalized(topic).split())
        other = rng.choice([item for item in TOPICS if not own & set(item.split())])
        if len(words) > 1 and rng.random() < 0.5:
            keep = rng.randrange(len(words))
            new = rng.choice([item for item in TOPICS if len(item.split()) == 1])
            other = " ".join(word if at == keep else new for at, word in enumerate(words))
        pattern = re.compile(_words(topic), re.IGNORECASE)
        if not pattern.search(question) or normalized(other) in self._subjects:
            return None
        return Neighbour(pattern.sub(other, question), lesson.answer, "topic")

    def _other_task(self, lesson: Lesson, question: str, rng: random.Random) -> Neighbour | None:
        """Another task: a far one, or the same thing to be done otherwise, or to another thing."""
        task = lesson.subject or ""
        [verb, *things] = task.split()
        far = next(other_tasks(task, seed=rng.randrange(10**6)))
        far_things = far.split()[1:]
        other = rng.choice(
            [
                far,
                " ".join([rng.choice(TASK_VERBS), *things]),
                " ".join([verb, *far_things]),
            ]
        )
        if normalized(other) in self._subjects or (other.split()[0] == verb and other == task):
            return None
        frame = rng.choice([frame for split, frame in TASK_FRAMES if split == "train"])
        said = with_articles(other)
        return Neighbour(frame.format(t=said, T=upper_first(said)), lesson.answer, "task")

    def _asks_alike(self, question: str, lesson: Lesson) -> bool:
        """Whether a question may ask for the same as a lesson, in other words."""
        named = set(normalized(lesson.subject or "").split())
        theirs = {word.lower() for word in keywords(question.replace("{s}", ""))} - named
        own = {word.lower() for word in keywords(lesson.question)} - named
        own |= {near for word in own for near in self._near.get(word, ())}
        # Without a word to tell by ("Where is Acme?") they may.
        return not (theirs and own) or any(same_word(w, other) for w in theirs for other in own)


def _renamed(
    lesson: Lesson, question: str, other: str, differs: Differs, rng: random.Random
) -> Neighbour | None:
    pattern = re.compile(_words(lesson.subject), re.IGNORECASE)
    if not lesson.subject or not pattern.search(question):
        return None
    leak = _said(lesson, rng, differs)
    return Neighbour(
        pattern.sub(lambda _: other, question), pattern.sub(lambda _: other, leak), differs
    )


def _said(lesson: Lesson, rng: random.Random, differs: Differs) -> str:
    """The lesson's answer in one of its forms; of another property only what fits it."""
    said = statements(lesson)
    if differs == "property":
        # Not the lesson's own sentence: it is what the question asks for that gets the value.
        said = [said[1].split("? ", 1)[1], *said[3:]]
    return rng.choice(said)


def _words(subject: str | None) -> str:
    return rf"\b{re.escape(subject)}\b" if subject else r"(?!)"
