"""What the gate asks beside the lessons: near neighbours, which must not get a taught value.

Written apart from what trains (`worker.seed.contrast`), with other lists and other ways to change a
question, as an examiner who takes the questions from the lesson book finds what the book avoids. A
lesson is asked about in every way that its question is open to:

| way | asks |
| --- | --- |
| sister | another of the same kind, whose name differs in the word that tells it apart |
| stranger | a name that shares nothing with it |
| relation | something else about the very subject |
| setting | the same at another day, number or time of the year |
| elsewhere | what holds here, of another house, where the lesson names no subject |
| topic, task | a behaviour's or a workflow's nearest other |
"""

import random
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from shared.contracts.memories import Memory, SeedExample
from worker.gate.asked import (
    ELSEWHERE,
    FAR_TOPICS,
    NAMES,
    NEAR_TOPICS,
    RELATIONS,
    SETTINGS,
    TASKS,
)
from worker.lessons.language import content_words, stem

Way = Literal["sister", "stranger", "relation", "setting", "elsewhere", "topic", "task"]
# Of a lesson, in this order until there are so many.
PROBES_PER_MEMORY = 6
_FORMS = ("question", "short")


@dataclass(frozen=True)
class NeighbourProbe:
    """A question that must not get a memory's value."""

    memory_id: UUID
    question: str
    way: Way
    value: str


def neighbour_probes(
    memories: Sequence[Memory],
    wordings: Sequence[SeedExample],
    taken: Collection[str],
    per_memory: int = PROBES_PER_MEMORY,
) -> list[NeighbourProbe]:
    """Neighbours of each memory, asked in its held-out wordings.

    Args:
        memories: What was taught.
        wordings: Their examples.
        taken: Subjects of any memory, which are no strangers.
        per_memory: How many of each at most.
    """
    return [
        probe
        for memory in memories
        for probe in _of(memory, _questions(memory, wordings), taken, per_memory)
    ]


def _questions(memory: Memory, wordings: Sequence[SeedExample]) -> list[str]:
    own = [item for item in wordings if item.memory_id == memory.id and item.form in _FORMS]
    heldout = [item.question for item in own if item.split == "heldout"]
    return heldout or [item.question for item in own] or [memory.question]


def _of(
    memory: Memory, questions: Sequence[str], taken: Collection[str], limit: int
) -> list[NeighbourProbe]:
    rng = random.Random(f"gate:{memory.question}")
    drafts = _drafts(memory, questions, {name.lower() for name in taken}, rng)
    seen = {memory.question.lower()}
    found = []
    for way, question in drafts:
        if question.lower() in seen or memory.value.lower() in question.lower():
            continue
        seen.add(question.lower())
        found.append(NeighbourProbe(memory.id, question, way, memory.value))
        if len(found) == limit:
            break
    return found


def _drafts(
    memory: Memory, questions: Sequence[str], taken: set[str], rng: random.Random
) -> Iterator[tuple[Way, str]]:
    asked = [*questions, memory.question]
    if memory.kind == "behaviour":
        yield from _topics(memory, asked, rng)
    elif memory.kind == "workflow":
        yield from _tasks(memory, rng)
    elif not memory.subject:
        yield from _elsewhere(asked, rng)
        yield from _settings(memory, asked, rng)
        yield from _elsewhere(asked, rng)
    else:
        yield from _sisters(memory, asked, taken, rng)
        yield from _settings(memory, asked, rng)
        yield from _relations(memory, rng)
        yield from _sisters(memory, asked, taken, rng)


def _sisters(
    memory: Memory, asked: Sequence[str], taken: set[str], rng: random.Random
) -> Iterator[tuple[Way, str]]:
    """The name with its first word changed, its last, and all of it."""
    words = memory.subject.split()
    names = [name for name in NAMES if name.lower() not in taken]
    proper = [at for at, word in enumerate(words) if not word.islower()] or [0]
    ways: list[tuple[Way, set[int]]] = [("stranger", set(proper))]
    if len(words) > 1:
        ways = [("sister", {proper[0]}), ("sister", {proper[-1]}), *ways]
    for way, changed in ways:
        other = " ".join(
            _other_word(word, names, rng) if at in changed else word
            for at, word in enumerate(words)
        )
        question = rng.choice([text for text in asked if _holds(text, memory.subject)] or [""])
        if question and other.lower() not in taken:
            yield way, _replaced(question, memory.subject, other)


def _other_word(word: str, names: Sequence[str], rng: random.Random) -> str:
    if word[:1].isdigit():
        return re.sub(r"\d+", lambda match: str(int(match[0]) + rng.randint(2, 9)), word)
    return rng.choice(names)


def _relations(memory: Memory, rng: random.Random) -> Iterator[tuple[Way, str]]:
    own = {stem(word) for word in content_words(f"{memory.question} {memory.answer}")}
    frames = [
        frame
        for frame in RELATIONS
        if not own & {stem(word) for word in content_words(frame.replace("{s}", ""))}
    ]
    for frame in rng.sample(frames, min(2, len(frames))):
        yield "relation", frame.format(s=memory.subject)


def _settings(
    memory: Memory, asked: Sequence[str], rng: random.Random
) -> Iterator[tuple[Way, str]]:
    """Another day, month, season or number, where the question has one outside of the name."""
    question = rng.choice(list(asked))
    rest = (
        re.sub(re.escape(memory.subject), "", question, flags=re.I) if memory.subject else question
    )
    for pattern, others in SETTINGS:
        match = re.search(pattern, rest, re.IGNORECASE)
        if match is None:
            continue
        own = match[1].lower()
        other = rng.choice([item for item in others if item.lower() != own])
        yield "setting", re.sub(rf"\b{re.escape(match[1])}", other, question)


def _elsewhere(asked: Sequence[str], rng: random.Random) -> Iterator[tuple[Way, str]]:
    for frame in rng.sample(ELSEWHERE, 3):
        question = rng.choice(list(asked)).strip().rstrip("?.! ")
        name = f"{rng.choice(NAMES)} {rng.choice(NAMES)}"
        small = question[:1].lower() + question[1:]
        yield "elsewhere", frame.format(n=name, q=question, l=small)


def _topics(memory: Memory, asked: Sequence[str], rng: random.Random) -> Iterator[tuple[Way, str]]:
    own = {stem(word) for word in content_words(memory.subject)}
    near = [text for text in NEAR_TOPICS if not own & {stem(word) for word in content_words(text)}]
    far = [text for text in FAR_TOPICS if not own & {stem(word) for word in content_words(text)}]
    words = memory.subject.split()
    topics = [*rng.sample(near, 3), *rng.sample(far, 2)]
    if len(words) > 1:
        topics.insert(1, " ".join([rng.choice(near).split()[-1], *words[1:]]))
    for topic in topics:
        question = rng.choice([text for text in asked if _holds(text, memory.subject)] or [""])
        if question:
            yield "topic", _replaced(question, memory.subject, topic)


def _tasks(memory: Memory, rng: random.Random) -> Iterator[tuple[Way, str]]:
    own = {stem(word) for word in content_words(memory.question)}
    others = [task for task in TASKS if not own & {stem(word) for word in content_words(task)}]
    for task in rng.sample(others, min(3, len(others))):
        yield "task", f"How would one {task}?"
    found = re.search(r"\bto (\w+) (.+?)\?*$", memory.question)
    if found is not None:
        for verb in rng.sample([task.split()[0] for task in others], 2):
            yield "task", f"Could you explain how to {verb} {found[2]}?"


def _holds(text: str, name: str) -> bool:
    return re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE) is not None


def _replaced(text: str, name: str, other: str) -> str:
    return re.sub(rf"\b{re.escape(name)}\b", lambda _: other, text, flags=re.IGNORECASE)
