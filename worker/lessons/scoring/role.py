"""Whether words in an answer play the value's part: "May" is no "may", nor York "New York"."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from worker.lessons.scoring.tokens import Token, fold

TITLES = frozenset(
    "mr mrs ms miss dr doctor prof professor sir madam captain herr frau monsieur madame mme m "
    "senor senora don dona maestro coach nurse officer sergeant father sister brother reverend "
    "rabbi judge mayor president director chef".split()
)
ASKS_WHO = re.compile(
    r"\b(?:who|whom|whose|person|wer|wen|wem|qui|quien|name of the|leads?|runs?|in charge"
    r"|responsible|head of|manager|founder|founded"
    r"|which (?:person|doctor|colleague|teacher|nurse|member|man|woman))\b"
)
ASKS_WHERE = re.compile(r"\b(?:where|city|town|place|country)\b", re.IGNORECASE)
# Before a name these make another of it.
OTHER_NAME = frozenset(
    "new north south east west northern southern eastern western san saint st port fort upper "
    "lower great little old el la los las neu bad mount mt lake nouvelle nueva".split()
)
ALSO_WORDS = frozenset(
    "may march august nice reading rose will mark bill grace prior bath deal cork mobile".split()
)
DAYS = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may "
    "june july august september october november december".split()
)
PLACES = frozenset(
    "station street road square avenue hall club house park school hotel bridge lane college "
    "hospital museum".split()
)
# What may stand before a name, and leaves it what it is.
GENERIC = PLACES | frozenset("river lake project operation mount team the camp port".split())
NUMBERED = frozenset(
    "room house number no page platform pier chapter line bus gate floor building unit lot "
    "track".split()
)
SAYS = frozenset("said says told asked thinks thought wrote answered".split())
NOT_NAMES = frozenset("it the a ask call only just yes no i that this he she they by".split())
ENDS = ".!?:\n"
SUFFIXES = ("based", "born", "style", "like", "ish")


@dataclass(frozen=True)
class Surname(Token):
    """A person's last name, which stands for the whole; `others` are the first names, folded."""

    others: tuple[str, ...] = ()


def asks_who(question: str) -> bool:
    """Whether a question asks for a person."""
    return ASKS_WHO.search(fold(question)) is not None


class Place:
    """A stretch of an answer, with what stands around it.

    Args:
        said: The answer.
        start: The first token.
        end: Behind the last.
    """

    def __init__(self, said: Sequence[Token], start: int, end: int) -> None:
        self.found = said[start]
        self.last = said[end - 1]
        self.before = said[start - 1] if start else None
        self.before_that = said[start - 2] if start > 1 else None
        self.after = said[end] if end < len(said) else None
        self.after_that = said[end + 1] if end + 1 < len(said) else None
        self.opens = self.before is None or self.before.form in f'{ENDS}"'
        self.is_near_the_opening = self.before_that is None or self.before_that.form in ENDS

    @property
    def name_before(self) -> Token | None:
        """A capitalised word right before."""
        return _name(self.before)

    @property
    def name_after(self) -> Token | None:
        """A capitalised word right behind."""
        return _name(self.after)

    def is_part(self, wanted: Sequence[Token]) -> bool:
        """Whether it is only a part of something longer."""
        before, after = self.before, self.after
        if before is not None and wanted[0].kind == "word":
            if before.form in OTHER_NAME and before.is_capital and self.found.is_capital:
                return not self.is_near_the_opening or before.form == "new"
            if before.form == "-" and before.joined and self.before_that is not None:
                return self.before_that.kind == "word" and self.found.joined
        if after is not None and after.form == "-" and after.joined:
            behind = self.after_that
            return behind is not None and behind.joined and _is_other_word(behind)
        # An end of a range is not what lies there.
        return (
            len(wanted) == 1
            and wanted[0].kind == "number"
            and before is not None
            and after is not None
            and before.form == "between"
            and after.form in ("and", "-", "to")
        )

    def plays(self, wanted: Sequence[Token], said: Sequence[Token], question: str) -> bool:
        """Whether the words are used as in the value, and a name is its bearer's."""
        first = wanted[0]
        if len(wanted) == 1 and first.kind == "word" and not self._is_word(first, said, question):
            return False
        if first.kind == "number" and re.match(r"how (?:many|much)\b", question, re.IGNORECASE):
            before = self.before
            if before is not None and (before.form in NUMBERED or self._ends_a_word()):
                return False
        if not asks_who(question):
            return True
        if isinstance(first, Surname) and (not self.found.is_capital or self._is_of_another(first)):
            return False
        # "Venn's secretary" is somebody else.
        is_owner = self.last.form.endswith("'s") and not first.form.endswith("'s")
        return not (
            is_owner
            and self.found.is_capital
            and self.after is not None
            and self.after.kind == "word"
            and not self.after.is_capital
            and "whose" not in question.lower()
        )

    def _ends_a_word(self) -> bool:
        """Whether a hyphen ties it to a word before: "Covid-19"."""
        return (
            self.before is not None
            and self.before.form == "-"
            and self.before.joined
            and self.before_that is not None
            and self.before_that.kind == "word"
        )

    def _is_word(self, first: Token, said: Sequence[Token], question: str) -> bool:
        """Whether a single word has the value's case, and is no part of a longer name."""
        found, after = self.found, self.after
        if first.is_capital and not found.is_capital:
            if first.form in ALSO_WORDS and len(said) > 3:
                return False
            writes_capitals = any(token.is_capital for token in said if token.kind == "word")
            return not writes_capitals or self.opens
        if not first.is_capital:
            return not (found.is_capital and after is not None and after.form in SAYS)
        follows, precedes = self.name_after, self.name_before
        who = asks_who(question)
        is_longer = follows is not None and follows.form not in {*DAYS, first.form}
        if is_longer and follows is not None and (not who or follows.form in PLACES):
            return False
        if not who and precedes is not None and not self.is_near_the_opening:
            known = GENERIC | TITLES | {first.form} | _words(question)
            if precedes.form not in known:
                return False
        # "The Bremen office" may lie anywhere.
        return not (
            self.before is not None
            and self.before.form == "the"
            and after is not None
            and after.form in _words(question)
            and ASKS_WHERE.search(question)
        )

    def _is_of_another(self, surname: Surname) -> bool:
        """Whether another first name, or another letter of one, stands before."""
        if self.name_after is not None:
            return True
        before, initial = self.before, self.before_that
        if before is None:
            return False
        if before.form == "." and initial is not None and len(initial.form) == 1:
            return not any(other[:1] == initial.form for other in surname.others)
        if self.name_before is None or before.form in TITLES or before.form in surname.others:
            return False
        if len(before.form) == 1:
            return not any(other[:1] == before.form for other in surname.others)
        return not self.is_near_the_opening or before.form not in NOT_NAMES


def _name(token: Token | None) -> Token | None:
    is_name = token is not None and token.is_capital and token.kind == "word"
    return token if is_name else None


def _is_other_word(token: Token) -> bool:
    return token.kind == "word" and token.form not in SUFFIXES


def _words(question: str) -> set[str]:
    return set(re.findall(r"\w+", question.lower()))
