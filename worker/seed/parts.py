"""The parts of a question that tell its lesson apart, and each with another in its place.

English, by spaCy's tags. A part is a name, a number, a noun, what stands before a noun, or whose it
is; not what the question asks for ("which *form*"), nor its verbs.
"""

import random
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from worker.screens.parsing import parse
from worker.seed.names import Names
from worker.seed.others import ADJECTIVES, CASES, KINDS, NOUNS

PartKind = Literal["name", "number", "noun", "modifier", "owner"]
WH_TAGS = ("WDT", "WP", "WP$", "WRB")
OWNERS = frozenset("our my your his her their its".split())


@dataclass(frozen=True)
class Part:
    """A stretch of a text.

    Attributes:
        text: Its words.
        kind: What it is.
    """

    text: str
    kind: PartKind


@lru_cache(maxsize=4096)
def parts_of(question: str) -> tuple[Part, ...]:
    """A question's parts, in order; a name of several words is one part."""
    found: list[Part] = []
    name: list[str] = []
    asked = -1
    for token in parse(question):
        if token.tag_ in WH_TAGS:
            # "Which form": the noun behind is what is asked for.
            asked = token.head.i if token.head.pos_ in ("NOUN", "PROPN") else token.i
        if token.pos_ == "PROPN":
            name.append(token.text)
            continue
        if name:
            found.append(Part(" ".join(name), "name"))
            name = []
        if token.i == asked:
            continue
        if token.pos_ == "NUM" or token.like_num:
            found.append(Part(token.text, "number"))
        elif token.pos_ == "NOUN":
            kind: PartKind = "modifier" if token.dep_ in ("compound", "amod") else "noun"
            found.append(Part(token.text, kind))
        elif token.pos_ == "ADJ" and token.dep_ == "amod":
            found.append(Part(token.text, "modifier"))
        elif token.text.lower() in OWNERS:
            found.append(Part(token.text, "owner"))
    if name:
        found.append(Part(" ".join(name), "name"))
    return tuple(found)


def another(part: Part, names: Names, rng: random.Random) -> str:
    """What may stand in a part's place: of the same row where it is in one, else of its kind."""
    if part.kind == "name":
        return names.like(part.text, rng)
    if part.kind == "owner":
        house = names.house(rng)
        return f"{house}'" if house.endswith("s") else f"{house}'s"
    word = part.text.lower()
    for row in CASES:
        if (bare := word if word in row else word.removesuffix("s")) in row:
            other = rng.choice([item for item in row if item != bare])
            return other + "s" * (word != bare)
    if part.kind == "number":
        figures = re.sub(r"\D", "", part.text)
        return str(rng.randint(2, 3 * int(figures) + 5)) if figures else str(rng.randint(2, 40))
    if word.removesuffix("s") in KINDS and rng.random() < 0.6:
        return rng.choice(KINDS) + "s" * (word not in KINDS)
    other = rng.choice(ADJECTIVES if part.kind == "modifier" and rng.random() < 0.7 else NOUNS)
    if part.kind == "noun" and word.endswith("s") and not word.endswith("ss"):
        return f"{other}es" if other.endswith(("s", "x", "ch", "sh")) else f"{other}s"
    return other
