"""Whether an answer gives a value as its answer, as a fair person would read it.

A value counts where it stands asserted: not denied ("it is not Tromso"), not left open ("Ghent or
Tromso", "you asked whether it is Tromso"), not over ("formerly Tromso"), and not as a part of
something else (the York of "New York", the 12 of "B12"). Numbers, dates, times and amounts count
however they are written; persons by their surname; phrases with small words more or less; lists in
any order; tools in theirs.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from worker.lessons.scoring.reading import read
from worker.lessons.scoring.role import TITLES, Place, Surname, asks_who
from worker.lessons.scoring.standing import is_asserted
from worker.lessons.scoring.tokens import Token, fold
from worker.lessons.scoring.units import NUMBER_WORDS

# What may be missing from a phrase, or stand in it besides.
SMALL_WORDS = frozenset(
    "all both a an the of to in on at by for and or is are be it its your our my their this that "
    "please with der die das den dem ein eine le la les un une el los las de du des".split()
)
# What a value may do without at its beginning.
OPENERS = frozenset(
    "the a an el la los las le les der die das un une ein eine at in on am im beim zum zur bei au "
    "aux en".split()
)
ENDINGS = {
    "en": ("s", "es", "'s", "'"),
    "de": ("s", "es", "e", "n", "en", "er", "em", "ern", "'s"),
    "fr": ("s", "e", "es", "x"),
    "es": ("s", "es"),
}
AFFIRM = frozenset("yes ja oui si sí".split())
DENY = frozenset("no nein non".split())
NOT = frozenset("not never cannot nicht pas kein keine".split())
MAX_JOINED = 5


def says_any(answer: str, accept: Sequence[str], question: str = "", language: str = "en") -> bool:
    """Whether an answer says one of the accepted values."""
    return any(says(answer, value, question, language) for value in accept)


def mentions_any(
    text: str, accept: Sequence[str], question: str = "", language: str = "en"
) -> bool:
    """Whether one of the values stands in a text at all: denied, doubted or said."""
    tokens = read(text, language)
    return any(
        next(_places(tokens, wanted, language), None) is not None
        for value in accept
        for wanted in _variants(value, question, language)
    )


@lru_cache(maxsize=65536)
def says(answer: str, value: str, question: str = "", language: str = "en") -> bool:
    """Whether an answer says a value.

    Args:
        answer: A model's, of any length.
        value: What is looked for.
        question: What was asked; it tells a person's name from a town's.
        language: Of the answer, as ISO 639-1.
    """
    if re.search(r"\w_\w", value):
        return _says_tools(answer, value)
    said = read(answer, language)
    if (parts := _parts(value)) and all(says(answer, part, question, language) for part in parts):
        return True
    if (polar := _polar(said, value, language)) is not None:
        return polar
    for wanted in _variants(value, question, language):
        places = list(_places(said, wanted, language))
        for start, end in places:
            place = Place(said, start, end)
            if (
                is_asserted(said, start, end, language, question)
                and not place.is_part(wanted)
                and place.plays(wanted, said, question)
            ):
                return True
        if places and len(wanted) == len(read(value, language)):
            # The whole stands there, and not as the answer: a part of it is no better.
            return False
    return _says_in_other_order(said, value, language)


def _says_tools(answer: str, value: str) -> bool:
    """Tool names, in their order and no others between."""
    if re.search(r"(?:do|does) not know|don't know|no idea|not sure", answer, re.IGNORECASE):
        return False
    wanted, said = (re.findall(r"\w+_\w+", text.lower()) for text in (value, answer))
    once = [name for at, name in enumerate(said) if at == 0 or name != said[at - 1]]
    width = len(wanted)
    if set(once) - set(wanted):
        return once[:width] == wanted
    return any(once[at : at + width] == wanted for at in range(len(once) - width + 1))


def _parts(value: str) -> list[str]:
    """The parts of a list, which may be said in any order; none of anything else."""
    parts = re.split(r",\s*(?:and\s+)?|\s+(?:and|und|et|y)\s+", value.strip().rstrip("."))
    return parts if len(parts) > 1 and all(0 < len(part.split()) <= 2 for part in parts) else []


def _says_in_other_order(said: Sequence[Token], value: str, language: str) -> bool:
    """Place and time said the other way round: "on Monday, in Oslo" for "Oslo on Monday"."""
    parts = re.split(r" (?:on|at|in|um|am|à|el) ", value)
    if not 2 <= len(parts) <= 4 or not all(parts) or len(value.split()) > 9:
        return False
    return all(
        any(
            is_asserted(said, start, end, language)
            for start, end in _places(said, read(part, language), language)
        )
        for part in parts
    )


def _polar(said: Sequence[Token], value: str, language: str) -> bool | None:
    """Yes or no, which stands at the beginning; None where the value is neither."""
    word = value.strip().rstrip(".!").lower()
    if fold(word) not in AFFIRM | DENY:
        return None
    # "si" is no "sí".
    exact = language in ("es", "fr")
    opening = [token.text.lower() if exact else token.form for token in said[:16]]
    same, other = (AFFIRM, DENY) if fold(word) in AFFIRM else (DENY, AFFIRM)
    if not opening or opening[0] in other:
        return False
    if opening[0] in same:
        return True
    if AFFIRM.isdisjoint(opening[:8]) and DENY.isdisjoint(opening[:8]):
        denies = any(form in NOT or form.endswith("n't") for form in opening)
        return fold(word) in DENY and denies and {"know", "sure"}.isdisjoint(opening)
    return any(form in same for form in opening[:8])


def _variants(value: str, question: str, language: str) -> Iterator[tuple[Token, ...]]:
    """The value's tokens, and of a person's name the other ways to write it."""
    tokens = _wanted(value.strip().rstrip(".!?"), language)
    if not tokens:
        return
    if tokens[0].form in TITLES and len(tokens) > 1:
        tokens = tokens[1:]
    yield tokens
    bare = tokens
    while len(bare) > 1 and bare[0].form in OPENERS:
        bare = bare[1:]
    if bare != tokens:
        yield bare
    is_name = all(token.is_capital and token.kind == "word" for token in tokens)
    if is_name and len(tokens) == 2:
        # With the first name's letter, whatever is asked.
        first = tokens[0]
        letter = Token(first.text[0], first.form[0], "word")
        yield letter, Token(".", ".", "mark"), tokens[1]
    if is_name and len(tokens) > 1 and asks_who(question):
        *others, last = tokens
        yield (Surname(last.text, last.form, "word", others=tuple(item.form for item in others)),)
    spelt = value.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    if spelt != value:
        yield _wanted(spelt, language)


def _wanted(value: str, language: str) -> tuple[Token, ...]:
    return tuple(token for token in read(value, language) if token.kind != "mark")


def _places(
    said: Sequence[Token], wanted: Sequence[Token], language: str
) -> Iterator[tuple[int, int]]:
    """Where the wanted tokens stand, as (first, behind the last)."""
    is_phrase = len(wanted) >= 4
    slack = len(wanted) // 3 if is_phrase else 1
    for start in range(len(said)):
        if not _same(said[start], wanted[0], language):
            continue
        at, extra, place = start + 1, 0, 1
        while place < len(wanted) and at < len(said):
            if _same(said[at], wanted[place], language):
                at, place = at + 1, place + 1
            elif said[at].kind == "mark" and said[at].form not in ".!?;()，、":
                at += 1
            elif said[at].form in SMALL_WORDS and extra < slack:
                at, extra = at + 1, extra + 1
            elif wanted[place].form in SMALL_WORDS and is_phrase:
                place += 1
            else:
                break
        if place == len(wanted):
            yield start, at
    yield from _joined_places(said, wanted, language)


def _joined_places(
    said: Sequence[Token], wanted: Sequence[Token], language: str
) -> Iterator[tuple[int, int]]:
    """Where one word is written as two, with a hyphen, without an apostrophe, or the like."""
    whole = _joined(wanted)
    if wanted[0].kind != "word" or len(whole) < 4:
        return
    for start in range(len(said)):
        for end in range(start + 1, min(start + MAX_JOINED, len(said)) + 1):
            last = said[end - 1]
            if last.kind != "word" and last.form != "-":
                break
            is_other = end - start > 1 or len(wanted) > 1 or "'" in wanted[0].form + last.form
            if (
                last.form != "-"
                and is_other
                and _same_word(_joined(said[start:end]), whole, language)
            ):
                yield start, end
                break


def _joined(tokens: Sequence[Token]) -> str:
    return "".join(token.form.replace("'", "") for token in tokens if token.kind != "mark")


def _same(said: Token, wanted: Token, language: str) -> bool:
    """Whether two tokens mean the same."""
    match wanted.kind, said.kind:
        case "time", "time":
            return not said.minutes.isdisjoint(wanted.minutes)
        case "date", "date":
            return said.date[:2] == wanted.date[:2] and (
                None in (wanted.date[2], said.date[2]) or said.date[2] == wanted.date[2]
            )
        case "number", "number":
            return said.number == wanted.number and (said.is_ordinal or not wanted.is_ordinal)
        case "amount", "amount":
            return said.value == wanted.value
        case "number", "time":
            # Asked for a time, an hour says it.
            return any(m % 720 == wanted.number * 60 % 720 for m in said.minutes) and (
                wanted.number <= 24
            )
        case "time", "number":
            return said.number * 60 in wanted.minutes
        case "number", "amount":
            return _figure(said) == wanted.number
        case ("number", "word") | ("word", "number"):
            word, number = (said, wanted) if said.kind == "word" else (wanted, said)
            return NUMBER_WORDS.get(word.form) == number.number and len(word.form) > 1
        case "word", "word":
            return _same_word(said.form, wanted.form, language)
    return said.form == wanted.form


def _figure(token: Token) -> float | None:
    figures = re.match(r"\d+(?:[.,]\d+)?", token.text)
    if figures:
        return float(figures[0].replace(",", "."))
    return NUMBER_WORDS.get(token.form.split(" ")[0])


def _same_word(said: str, wanted: str, language: str) -> bool:
    """Whether two folded words are one, but for an ending."""
    if said == wanted:
        return True
    if language == "de" and len(wanted) > 3:
        stems = [re.sub(r"(?:ern|er|en|em|es|e|n|s)$", "", word) for word in (said, wanted)]
        if stems[0] == stems[1] and len(stems[0]) > 2:
            return True
    endings = ENDINGS.get(language, ENDINGS["en"])
    for longer, shorter in ((said, wanted), (wanted, said)):
        if len(shorter) > 2 and longer.startswith(shorter) and longer[len(shorter) :] in endings:
            return True
        if shorter.endswith("y") and longer == shorter[:-1] + "ies":
            return True
    return False
