"""Whether what stands in an answer is asserted there: not denied, not left open, not over."""

from collections.abc import Sequence

from worker.lessons.scoring.phrases import (
    BESIDE,
    CONDITION,
    DENIALS,
    DENIED_BEHIND,
    ELSEWISE,
    EXCEPT,
    MAYBE,
    MISSING,
    NEVER_BEHIND,
    NONE_BUT,
    OPEN,
    OR,
    OVER,
    OVER_BEHIND,
    SURE,
    TAG,
    TAKEN_BACK,
    TURNS,
)
from worker.lessons.scoring.tokens import Token

_ENDS = frozenset([*".!?;。！？", "\n"])
_BREAKS = frozenset(",:()[]，、—") | _ENDS
MANY = 4


def is_asserted(
    said: Sequence[Token], start: int, end: int, language: str, question: str = ""
) -> bool:
    """Whether the tokens from `start` to before `end` are what the answer says.

    Args:
        said: The answer.
        start: The value's first token.
        end: Behind its last.
        language: Of the answer.
        question: What was asked; where something is missing, what is denied is the answer.
    """
    first = start
    while first > 0 and said[first - 1].form not in _ENDS:
        first -= 1
    last = end
    while last < len(said) and said[last].form not in _ENDS:
        last += 1
    ending = said[last].form if last < len(said) else ""
    before = _clause_before(said, first, start)
    behind = " " + _line(said[end:last])
    sentence = _line(said[first : last + 1])
    if ending in ("?", "？") and not TAG.search(sentence):
        return False
    line_before = _line(before)
    if NONE_BUT.search(_line(said[max(first, start - 4) : start])):
        return True
    if MISSING.search(question):
        return _denied(before, language) or MISSING.search(sentence) is not None
    if _denied(before, language) or OVER.search(line_before) or OVER_BEHIND.search(behind):
        return False
    if BESIDE.search(_line(said[max(first, start - 4) : start])) or NEVER_BEHIND.search(behind):
        return False
    if len(MAYBE.findall(sentence)) > 1 or ELSEWISE.search(sentence):
        return False
    if language == "ja" and DENIED_BEHIND.search(behind):
        return False
    if OPEN.search(_line(said[first:start])) and "," not in _line(before[-2:]):
        return False
    if _is_alternative(said, start, end, language):
        return False
    rest = _line(said[last + 1 : last + 12])
    if TAKEN_BACK.search(rest) or TAKEN_BACK.search(_line(said[end + 1 : last])):
        return False
    if CONDITION.search(_line(said[first:start])):
        return False
    numbers = sum(token.kind == "number" for token in said[first:last])
    if numbers > MANY and said[start].kind == "number" and ", " in sentence:
        return False
    return not _is_option(said, start, end)


def _is_option(said: Sequence[Token], start: int, end: int) -> bool:
    """Whether it is one of several choices that are listed, none of them chosen."""
    marks = [
        at
        for at, token in enumerate(said[1:], 1)
        if token.form == ")" and token.joined and len(said[at - 1].form) == 1
    ]
    return len(marks) > 2 and marks[0] < start and said[start - 1].form == ")"


def _line(tokens: Sequence[Token]) -> str:
    return " ".join(token.form for token in tokens)


def _clause_before(said: Sequence[Token], first: int, start: int) -> Sequence[Token]:
    """What stands before in the same clause."""
    at = start
    while at > first and said[at - 1].form not in _BREAKS and said[at - 1].form not in TURNS:
        at -= 1
    return said[at:start]


def _denied(before: Sequence[Token], language: str) -> bool:
    denials = DENIALS.get(language, DENIALS["en"])
    forms = [token.form for token in before]
    taken_back: frozenset[str] = frozenset()
    for at, form in enumerate(forms):
        denies = form in denials or form.endswith("n't") or (language == "en" and form == "nothing")
        if denies and forms[at + 1 : at + 2] and forms[at + 1] in SURE:
            continue
        if form in ("no", "nobody", "never", "not") and "without" in forms[at + 1 :]:
            taken_back |= {"without"}
            continue
        if denies and form not in taken_back and not EXCEPT & set(forms[at + 1 : at + MANY]):
            return True
        if denies:
            taken_back |= EXCEPT | {"without"}
    return False


def _is_alternative(said: Sequence[Token], start: int, end: int, language: str) -> bool:
    """Whether another value is left open beside it: "Ghent or Tromso"."""
    value = said[start:end]
    for at, other in ((start - 1, start - 2), (end, end + 1)):
        if not 0 <= at < len(said) or said[at].form not in OR or not 0 <= other < len(said):
            continue
        beside = said[other]
        if other > end and beside.form in ("the", "a", "an") and other + 1 < len(said):
            beside = said[other + 1]
        alike = beside.kind == value[0].kind and (
            beside.kind != "word" or beside.is_capital == value[0].is_capital
        )
        if (
            alike
            and beside.form != value[-1].form
            and (beside.kind != "word" or beside.form not in ("so", "thereabouts", "more", "less"))
        ):
            return beside.value is None or beside.value != value[0].value
    return False
