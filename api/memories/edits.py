"""What an edit changes of a memory, and whether what it leaves hangs together. Pure."""

import re

from shared.contracts.memories import Memory, MemoryReview
from shared.errors import BadRequestError

FIELDS = ("question", "answer", "value")
# Scripts that put no spaces between words are compared sign by sign.
_UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")


def check(review: MemoryReview) -> None:
    """Whether a decision comes with the words that it needs.

    Raises:
        BadRequestError: If an edit changes nothing, or another decision brings words.
    """
    given = [name for name in FIELDS if getattr(review, name) is not None]
    if review.decision == "edit" and not given:
        raise BadRequestError(
            "An edit accepts a memory in other words: give `question`, `answer` or `value`; to "
            "accept it as it is, send the decision `accept`.",
            param="decision",
        )
    if review.decision != "edit" and given:
        raise BadRequestError(
            f"`{given[0]}` goes with the decision `edit`, not with `{review.decision}`.",
            param=given[0],
        )


def edited(memory: Memory, review: MemoryReview) -> dict[str, str]:
    """The columns that an edit changes.

    Another question may be about something else: its key is emptied, and the next night reads it
    anew (`worker/lessons/keys.py`).

    Raises:
        BadRequestError: If the value does not stand in the answer.
    """
    given = {name: getattr(review, name) for name in FIELDS}
    words = {name: text.strip() for name, text in given.items() if text is not None}
    for name, text in words.items():
        if not _words(text):
            raise BadRequestError(f"The {name} {text!r} holds no word: write it out.", param=name)
    answer, value = words.get("answer", memory.answer), words.get("value", memory.value)
    if not words.keys().isdisjoint(("answer", "value")) and not _stands_in(value, answer):
        raise BadRequestError(
            f"The value {value!r} does not stand in the answer {answer!r}: give both, so that the "
            "answer holds the value word for word.",
            param="value" if "value" in words else "answer",
        )
    changed = {name: text for name, text in words.items() if text != getattr(memory, name)}
    if "question" in changed:
        changed |= {"subject": "", "relation": ""}
    return changed


def was_said(memory: Memory, changed: dict[str, str]) -> str:
    """The words that an edit takes away, for the reason."""
    return ", ".join(f"{name} {getattr(memory, name)!r}" for name in FIELDS if name in changed)


def _stands_in(value: str, answer: str) -> bool:
    """True if the words of the value stand in the answer, one after the other."""
    return f" {' '.join(_words(value))} " in f" {' '.join(_words(answer))} "


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
