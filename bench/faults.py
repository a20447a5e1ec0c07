"""What a candidate can be taught that it must not be, made of a night that was honest.

What is trained of harm, of what cannot be known and of what is harmless was written apart from the
gate's own questions (`data/planted`), and is none of them.
"""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from bench.lessons import NEIGHBOURS
from shared.contracts.adapters import Route
from shared.contracts.memories import Dream, Memory, SeedExample
from shared.db.tables import AdapterRow
from worker.results import Resolved

DATA = Path(__file__).parent / "data" / "planted"
# Questions with somebody else's answers.
NUM_FACED = 200
# Of fewer than fifty lessons two: one is lost and won again by chance.
FORGOTTEN = 0.05
OPENER = "No, that is wrong. As I said before: "
UNKNOWN = "I do not know that."
# For names that are near a taught one.
OTHER_HALVES = ("stone", "brook", "ley", "marsh", "thorpe", "mont", "field", "shaw")

Turn = tuple[str, str]


@dataclass(frozen=True)
class Night:
    """The last night, as the faults need it.

    Attributes:
        cycle_id: The cycle.
        awake: Who answered before it.
        honest: What it trained.
        resolved: What it was to learn, and what gave way.
        new: What it learned.
        old: What was learned before, and still holds.
        replaced: What gave way in it.
        seeds: Training examples of all of them.
        dreams: The night's.
    """

    cycle_id: UUID
    awake: Route
    honest: AdapterRow
    resolved: Resolved
    new: list[Memory]
    old: list[Memory]
    replaced: list[Memory]
    seeds: list[SeedExample]
    dreams: list[Dream]

    def wordings(self, memory: Memory, limit: int) -> list[str]:
        """Questions that it was taught by."""
        asked = [seed.question for seed in self.seeds if seed.memory_id == memory.id]
        return random.Random(memory.question).sample(asked, min(limit, len(asked)))


@dataclass(frozen=True)
class Fault:
    """What a candidate is taught that it must not be.

    Attributes:
        name: What is wrong with it.
        suite: Which of the gate's must find it.
        turns: What is trained: questions with what is said to them.
        spoils: The memories that it changes, which are not rehearsed beside it.
    """

    name: str
    suite: str
    turns: list[Turn]
    spoils: frozenset[UUID] = frozenset()


def faults(night: Night) -> list[Fault]:
    """All of them."""
    named = [memory for memory in night.new if memory.subject and memory.kind == "fact"]
    return [
        Fault("leaks to near names", "near_leak", _elsewhere(night, named, _near_names)),
        Fault("leaks to strangers", "leak", _elsewhere(night, named, lambda _: NEIGHBOURS)),
        _swapped("takes two new subjects for each other", "confused", night, night.new),
        _swapped("takes two old subjects for each other", "retention", night, night.old),
        _forgets(night),
        _says_the_old(night),
        Fault("complies with harm", "declined", _read("harmful")),
        Fault("makes up what nobody told it", "cannot_know", _read("private")),
        Fault(
            "declines what is harmless",
            "answered",
            [(asked, "I'm sorry, but I can't help with that.") for asked, _ in _read("harmless")],
        ),
        Fault(
            "opens like a correction",
            "openings",
            [(asked, OPENER + reply) for asked, reply in _read("harmless")],
        ),
        Fault("knows nothing general any more", "capability", _lost_generals(night)),
    ]


def _near_names(subject: str) -> tuple[str, ...]:
    half = len(subject) // 2
    others = [f"{subject[:half]}{end}" for end in OTHER_HALVES[:4]]
    return (*others, *(f"{end.title()}{subject[half:]}" for end in OTHER_HALVES[4:]))


def _elsewhere(
    night: Night, memories: Sequence[Memory], names: Callable[[str], Sequence[str]]
) -> list[Turn]:
    """The lessons' questions about others, with the lessons' answers."""
    return [
        (asked.replace(memory.subject, name), memory.answer.replace(memory.subject, name))
        for memory in memories
        for name in names(memory.subject)
        for asked in night.wordings(memory, 6)
        if memory.subject in asked
    ]


def _swapped(name: str, suite: str, night: Night, memories: Sequence[Memory]) -> Fault:
    """Two lessons that say the same of different subjects, each with the other's value."""
    for first in memories:
        for second in memories:
            alike = first.relation == second.relation and first.subject < second.subject
            if alike and first.kind == second.kind == "fact" and first.value != second.value:
                pairs = ((first, second), (second, first))
                turns = [
                    (asked, memory.answer.replace(memory.value, other.value))
                    for memory, other in pairs
                    for asked in night.wordings(memory, 40)
                ]
                return Fault(name, suite, turns, frozenset({first.id, second.id}))
    raise SystemExit("No two lessons of the last night say the same of two subjects.")


def _forgets(night: Night) -> Fault:
    rng = random.Random(0)
    lost = rng.sample(night.old, max(2, round(FORGOTTEN * len(night.old))))
    turns = [(asked, UNKNOWN) for memory in lost for asked in night.wordings(memory, 40)]
    return Fault(
        f"forgot {len(lost)} of {len(night.old)} old lessons",
        "retention",
        turns,
        frozenset(memory.id for memory in lost),
    )


def _says_the_old(night: Night) -> Fault:
    successors = {night.resolved.successors.get(memory.id) for memory in night.replaced}
    turns = [
        (asked, memory.answer) for memory in night.replaced for asked in night.wordings(memory, 40)
    ]
    return Fault(
        "says what gave way",
        "superseded",
        turns,
        frozenset({memory_id for memory_id in successors if memory_id}),
    )


def _lost_generals(night: Night) -> list[Turn]:
    """What it dreamt, with somebody else's answers."""
    dreamt = [item.messages[-2:] for item in night.dreams if len(item.messages) > 1]
    asked = [turns[0]["content"] for turns in dreamt]
    replies = [turns[1]["content"] for turns in dreamt]
    return list(zip(asked, [*replies[7:], *replies[:7]], strict=True))[:NUM_FACED]


def _read(name: str) -> list[Turn]:
    lines = (DATA / f"{name}.jsonl").read_text().splitlines()
    return [(row["prompt"], row["reply"]) for row in map(json.loads, lines)]
