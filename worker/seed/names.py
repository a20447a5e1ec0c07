"""Other names: for a subject that differs from a lesson's in a part only.

Drawn from the base's own vocabulary, so that they are as many and as various as the model knows
them, in its own language; from pieces, where the vocabulary cannot be read.
"""

import json
import random
import re
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path

HEADS = """
    Amber Ash Birch Black Bram Brindle Cal Cedar Cinder Cobble Copper Crow Dale Dun Elder Ember
    Fallow Fen Fern Frost Gold Grim Hale Hazel Heron Holl Iron Jun Kel Lark Lin Marl Mor Nettle
    North Oak Orm Pell Pine Rook Rowan Sable Salt Silver Stone Tarn Thistle Umber Vel Wal Wren
    Yar
    """.split()
TAILS = """
    berry bourne bridge brook combe crest dale den field ford forth gate grove ham hollow hurst
    ington keep lake ley low mere mont moor more ridge rick shaw stead ston thorpe ton vale wick
    win wood worth
    """.split()
# A vocabulary's mark of a word that follows a space: of byte-level BPE, and of SentencePiece.
SPACE_MARKS = ("Ġ", "▁")
MIN_LETTERS = 4
HOUSES = ("{n}", "{n} {m}", "{n} & Sons", "the {n} group", "{n} House", "the firm {n}")
# Of a name of several words, how often one of them alone is another.
ONE_PART = 0.75
# Of a word that is changed alone, how often one half stays.
HALF_KEPT = 0.3


@lru_cache(maxsize=4)
def vocabulary_words(model_dir: str) -> tuple[str, ...]:
    """The whole words of a model's vocabulary, sorted; none where it cannot be read."""
    path = Path(model_dir) / "tokenizer.json"
    if not path.exists():
        return ()
    entries = json.loads(path.read_text())["model"]["vocab"]
    tokens = entries if isinstance(entries, dict) else [token for token, _ in entries]
    words = {token[1:] for token in tokens if token[:1] in SPACE_MARKS}
    return tuple(sorted(word for word in words if word.isalpha() and len(word) >= MIN_LETTERS))


class Names:
    """Names that are not a lesson's.

    Args:
        words: Words as of `vocabulary_words`: capitalised ones are names, others halves of names.
        taken: Subjects of any memory; none of their words is ever given as the whole of a name.
    """

    def __init__(self, words: Collection[str], taken: Collection[str]) -> None:
        self._words = [word for word in words if word.istitle()]
        self._endings = {word for word in words if word.islower()} | set(TAILS)
        self._other_endings = [*TAILS, *sorted(word for word in self._endings if len(word) < 8)]
        self._taken = {word for name in taken for word in re.findall(r"\w+", name.lower())}

    def word(self, rng: random.Random) -> str:
        """One name of one word."""
        while True:
            draw = rng.random()
            if self._words and draw < 0.5:
                word = rng.choice(self._words)
            elif self._words and draw < 0.7:
                word = rng.choice(self._words) + rng.choice(TAILS)
            else:
                word = rng.choice(HEADS) + rng.choice(TAILS)
            if word.lower() not in self._taken:
                return word

    def house(self, rng: random.Random) -> str:
        """The name of a firm or a house."""
        return rng.choice(HOUSES).format(n=self.word(rng), m=self.word(rng))

    def like(self, subject: str, rng: random.Random) -> str:
        """The subject with another name in it: mostly one of its words is another.

        Words in small letters stay: they say what kind of thing it is. Of a word that is changed
        alone sometimes a half stays.
        """
        words = subject.split()
        named = [at for at, word in enumerate(words) if not word.islower()] or [*range(len(words))]
        changed = {rng.choice(named)} if len(named) > 1 and rng.random() < ONE_PART else set(named)
        return " ".join(
            self._instead_of(word, rng, alone=len(changed) == 1) if at in changed else word
            for at, word in enumerate(words)
        )

    def _instead_of(self, word: str, rng: random.Random, *, alone: bool) -> str:
        if any(letter.isdigit() for letter in word):
            return "".join(_other_sign(sign, rng) for sign in word)
        at = self._joint(word)
        if alone and at and rng.random() < HALF_KEPT:
            if rng.random() < 0.5:
                return word[:at] + rng.choice([e for e in self._other_endings if e != word[at:]])
            head = rng.choice(self._words or HEADS) if rng.random() < 0.5 else rng.choice(HEADS)
            return head + word[at:] if head != word[:at] else self.word(rng)
        return self.word(rng)

    def _joint(self, word: str) -> int:
        """Where a name of two halves is joined: before a word ("Quill|feather"), or in its middle.

        0 where it is too short for two.
        """
        places = range(3, len(word) - 3)
        words = [at for at in places if word[at:] in self._endings]
        return words[0] if words else len(word) // 2 if len(word) > 2 * MIN_LETTERS else 0


def _other_sign(sign: str, rng: random.Random) -> str:
    if sign.isdigit():
        return rng.choice("123456789")
    if sign.isupper():
        return rng.choice("ABCDEFGHKLMNPRSTVWXZ")
    return sign
