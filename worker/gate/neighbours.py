"""What the gate asks beside the lessons: near neighbours, which must not get a taught value.

Written apart from what trains (`worker.seed.contrast`), with other lists and other ways to change a
question, as an examiner who takes the questions from the lesson book finds what the book avoids. A
lesson is asked about in every way that its question is open to:

| way | asks |
| --- | --- |
| sister | another of the same kind, whose name differs in the word that tells it apart |
| relation | something else about the very subject |
| setting | the same at another day, number or time of the year |
| elsewhere | what holds here, of another house, where the lesson names no subject |
| topic, task | a behaviour's or a workflow's nearest other |
| stranger | a name, a topic or a task that shares nothing with it; a suite of its own |
| detail | the very question of something else that the subject has, one word changed; a suite too |
"""

import math
import random
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from shared.contracts.memories import Memory, SeedExample
from worker.gate.asked import (
    ELSEWHERE,
    FAR_TOPICS,
    NAMES,
    NEAR_TOPICS,
    QUALITIES,
    RELATIONS,
    SETTINGS,
    TASKS,
    THINGS,
)
from worker.lessons.language import content_words, stem
from worker.screens.parsing import parse

Way = Literal["sister", "stranger", "detail", "relation", "setting", "elsewhere", "topic", "task"]
# Of a lesson, in this order until there are so many.
PROBES_PER_MEMORY = 6
DETAILS_PER_MEMORY = 3
# Of a night that learns little, whose few lessons are asked about more strangers each.
MIN_STRANGERS = 4
AMOUNTS = ("many", "much", "long", "often")
_FORMS = ("question", "short")
MIN_HALVED = 7
Drafts = Callable[[Memory, Sequence[str], set[str], random.Random], Iterator[tuple[Way, str]]]


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
    names = {name.lower() for name in taken}
    return [
        probe for memory in memories for probe in _first(per_memory, memory, wordings, names, _near)
    ]


def stranger_probes(
    memories: Sequence[Memory], wordings: Sequence[SeedExample], taken: Collection[str]
) -> list[NeighbourProbe]:
    """The same of what shares nothing with a memory's subject; at least `MIN_STRANGERS` in all."""
    names = {name.lower() for name in taken}
    each = math.ceil(MIN_STRANGERS / max(len(memories), 1))
    return [
        probe for memory in memories for probe in _first(each, memory, wordings, names, _strangers)
    ]


def detail_probes(
    memories: Sequence[Memory], wordings: Sequence[SeedExample]
) -> list[NeighbourProbe]:
    """The lesson's own question with one thing or quality of it another: the nearest there are."""
    return [
        probe
        for memory in memories
        if memory.kind not in ("behaviour", "workflow")
        for probe in _first(DETAILS_PER_MEMORY, memory, wordings, set(), _details)
    ]


def _questions(memory: Memory, wordings: Sequence[SeedExample]) -> list[str]:
    own = [item for item in wordings if item.memory_id == memory.id and item.form in _FORMS]
    heldout = [item.question for item in own if item.split == "heldout"]
    return heldout or [item.question for item in own] or [memory.question]


def _first(
    limit: int,
    memory: Memory,
    wordings: Sequence[SeedExample],
    taken: set[str],
    drafts: Drafts,
) -> list[NeighbourProbe]:
    """The first drafts that are questions of their own and do not give the value away."""
    rng = random.Random(f"gate:{memory.question}")
    seen = {memory.question.lower()}
    found: list[NeighbourProbe] = []
    asked = [*_questions(memory, wordings), memory.question]
    for way, question in drafts(memory, asked, taken, rng):
        if len(found) == limit:
            break
        if question.lower() not in seen and memory.value.lower() not in question.lower():
            seen.add(question.lower())
            found.append(NeighbourProbe(memory.id, question, way, memory.value))
    return found


def _near(
    memory: Memory, asked: Sequence[str], taken: set[str], rng: random.Random
) -> Iterator[tuple[Way, str]]:
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


def _strangers(
    memory: Memory, asked: Sequence[str], taken: set[str], rng: random.Random
) -> Iterator[tuple[Way, str]]:
    if memory.kind == "workflow":
        for task in _unlike(memory.question, TASKS, rng):
            yield "stranger", f"How would one {task}?"
        return
    named = [text for text in asked if memory.subject and _holds(text, memory.subject)]
    for text in named * MIN_STRANGERS:
        other = (
            rng.choice(_unlike(memory.subject, FAR_TOPICS, rng))
            if memory.kind == "behaviour"
            else " ".join(rng.choice(NAMES) for _ in memory.subject.split())
        )
        if other.lower() not in taken:
            yield "stranger", _replaced(text, memory.subject, other)


def _unlike(text: str, others: Sequence[str], rng: random.Random) -> list[str]:
    """Those that share no word with a text, in random order."""
    own = {stem(word) for word in content_words(text)}
    unlike = [item for item in others if not own & {stem(word) for word in content_words(item)}]
    return rng.sample(unlike, len(unlike))


def _sisters(
    memory: Memory, asked: Sequence[str], taken: set[str], rng: random.Random
) -> Iterator[tuple[Way, str]]:
    """The name with its first word changed, and its last; of a single word a half of it."""
    words = memory.subject.split()
    names = [name for name in NAMES if name.lower() not in taken]
    proper = [at for at, word in enumerate(words) if not word.islower()] or [0]
    named = [text for text in asked if _holds(text, memory.subject)]
    for at in (proper[0], proper[-1]):
        other = " ".join(
            _other_word(word, names, rng) if place == at else word
            for place, word in enumerate(words)
        )
        if len(words) == 1:
            other = _half_name(words[0], rng)
        if named and other.lower() not in taken:
            yield "sister", _replaced(rng.choice(named), memory.subject, other)


def _half_name(word: str, rng: random.Random) -> str:
    """A name that shares one half with a name of one word."""
    at = len(word) // 2
    other = rng.choice([name for name in NAMES if len(name) > MIN_HALVED])
    half = len(other) // 2
    return word[:at] + other[half:] if rng.random() < 0.5 else other[:half] + word[at:]


def _other_word(word: str, names: Sequence[str], rng: random.Random) -> str:
    if word[:1].isdigit():
        return re.sub(r"\d+", lambda match: str(int(match[0]) + rng.randint(2, 9)), word)
    return rng.choice(names)


def _details(
    memory: Memory, asked: Sequence[str], _taken: set[str], rng: random.Random
) -> Iterator[tuple[Way, str]]:
    """The same question of another thing, or of the same thing of another kind."""
    named = set(re.findall(r"\w+", memory.subject.lower()))
    for question in rng.sample(asked, len(asked)):
        told_apart = [
            token
            for token in parse(question)
            if token.pos_ in ("NOUN", "ADJ")
            and token.lower_ not in {*named, *AMOUNTS}
            # "Which day": the day is what is asked for.
            and not any(child.tag_ in ("WDT", "WP") for child in token.children)
        ]
        if not told_apart:
            continue
        token = rng.choice(told_apart)
        is_thing = token.pos_ == "NOUN" and token.dep_ != "compound"
        other = rng.choice(THINGS if is_thing else QUALITIES)
        if is_thing and token.tag_ == "NNS":
            other = re.sub(r"(?<=[^aeiou])y$", "ie", other) + "s"
        end = token.idx + len(token)
        yield "detail", f"{question[: token.idx]}{other}{question[end:]}"


def _relations(memory: Memory, rng: random.Random) -> Iterator[tuple[Way, str]]:
    frames = _unlike(f"{memory.question} {memory.answer}", RELATIONS, rng)
    for frame in frames[:2]:
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
    near = _unlike(memory.subject, NEAR_TOPICS, rng)
    words = memory.subject.split()
    topics = near[:PROBES_PER_MEMORY]
    if len(words) > 1 and near:
        topics.insert(1, " ".join([near[-1].split()[-1], *words[1:]]))
    named = [text for text in asked if memory.subject and _holds(text, memory.subject)]
    for topic in topics if named else ():
        yield "topic", _replaced(rng.choice(named), memory.subject, topic)


def _tasks(memory: Memory, rng: random.Random) -> Iterator[tuple[Way, str]]:
    """The same done to something else, and something else done to the same."""
    found = re.search(r"\bto (\w+) (.+?)\?*$", memory.question)
    if found is None:
        return
    for task in _unlike(memory.question, TASKS, rng):
        verb, _, rest = task.partition(" ")
        yield "task", f"Could you explain how to {verb} {found[2]}?"
        yield "task", f"Could you explain how to {found[1]} {rest}?"


def _holds(text: str, name: str) -> bool:
    return re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE) is not None


def _replaced(text: str, name: str, other: str) -> str:
    return re.sub(rf"\b{re.escape(name)}\b", lambda _: other, text, flags=re.IGNORECASE)
