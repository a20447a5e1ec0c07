"""What the screens' classifiers see of a lesson: numbers, the same when fitted and at night.

Meaning (a sentence encoder), words and pieces of words (hashed), the shapes of words, and what
spaCy finds in question and answer.
"""

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from worker.screens.encoder import Floats, encoder
from worker.screens.parsing import parse

if TYPE_CHECKING:
    from spacy.tokens import Doc


# Of each block of hashed features.
NUM_BUCKETS = 4096
MEANING_WEIGHT = 2.0
PIECE_SIZES = (2, 3, 4)
SHAPE_SIZES = (2, 3, 4, 5)
WORD = re.compile(r"\w+|[^\w\s]")
ENTITIES = (
    "PERSON NORP ORG GPE LOC FAC DATE TIME MONEY CARDINAL QUANTITY PRODUCT ORDINAL PERCENT".split()
)
PRONOUNS = "he she his her him my mine hers they their them i we our you your".split()
PARTS_OF_SPEECH = "PROPN NUM NOUN VERB PUNCT X SYM".split()


@lru_cache(maxsize=4096)
def features(question: str, said: str) -> Floats:
    """float32[num_features] of a lesson.

    Args:
        question: What was asked.
        said: The answer, as somebody gave it.
    """
    blocks = [
        MEANING_WEIGHT * encoder().encode(said),
        MEANING_WEIGHT * encoder().encode(question),
        MEANING_WEIGHT * encoder().encode(f"{question} {said}"),
        _hashed("a", _words(said)),
        _hashed("q", _words(question)),
        _hashed("c", _pieces(f"{said} {question}".lower(), PIECE_SIZES)),
        _hashed("s", _pieces(_shape(said), SHAPE_SIZES)),
        _found(parse(said)),
        _found(parse(question)),
    ]
    return np.concatenate(blocks).astype(np.float32)


def _hashed(block: str, items: Iterable[str]) -> Floats:
    """Counts by hash, dampened, of length 1."""
    counts = np.zeros(NUM_BUCKETS, np.float32)
    for item, count in Counter(items).items():
        counts[zlib.crc32(f"{block}{item}".encode()) % NUM_BUCKETS] += 1 + np.log(count)
    length = float(np.linalg.norm(counts))
    return counts / length if length else counts


def _words(text: str) -> Iterator[str]:
    found = WORD.findall(text.lower())
    yield from found
    yield from (f"{first} {second}" for first, second in pairwise(found))


def _pieces(text: str, sizes: Iterable[int]) -> Iterator[str]:
    for word in text.split():
        padded = f" {word} "
        for size in sizes:
            yield from (padded[at : at + size] for at in range(len(padded) - size + 1))


def _shape(text: str) -> str:
    """Capitals, digits and runs of small letters: "Kirsche!77" is "Aa!99"."""
    return re.sub(r"[a-z]+", "a", re.sub(r"[A-Z]", "A", re.sub(r"\d", "9", text)))


def _found(doc: "Doc") -> Floats:
    """What kinds of names, pronouns, words and moods there are."""
    labels = {entity.label_ for entity in doc.ents}
    words = {token.lower_ for token in doc}
    kinds = Counter(token.pos_ for token in doc)
    num_tokens = max(1, len(doc))
    return np.array(
        [
            *(label in labels for label in ENTITIES),
            *(word in words for word in PRONOUNS),
            *(kinds[kind] / num_tokens for kind in PARTS_OF_SPEECH),
            len(doc) > 0 and doc[0].tag_ == "VB",
            any(token.tag_ == "MD" for token in doc),
        ],
        np.float32,
    )
