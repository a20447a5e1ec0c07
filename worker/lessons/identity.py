"""Whether two lessons say the same, or speak of the same, whatever words they come in.

What shares a key is the same question. Beyond that words are compared, without endings: enough to
see that a rejected lesson comes back or that two people mean one thing. Two lessons are one only if
what is asked about their subject agrees, since one gives way to the other. A rejected lesson comes
back as soon as its value is said of its subject: to ask a person once more costs little.
"""

import re
from collections.abc import Iterable

from shared.contracts.memories import Memory
from worker.lessons.language import SURE_KINDS, asked_for, content_words, stem, words

ARTICLES = frozenset("the a an our its their der die das ein eine le la les el los il".split())
# "It is not in Tromso", "instead of Tromso".
DENIES = frozenset("not no never instead rather than isn't wasn't aren't don't isnt".split())
MAX_WORDS_DENIED = 4
# Of the smaller question's words, how many the other must hold.
MIN_SHARED = 0.5


def same_value(first: Memory, second: Memory) -> bool:
    """True if two memories give the same answer."""
    return _bare(first.value) == _bare(second.value)


def says_the_same(first: Memory, second: Memory) -> bool:
    """True if two memories answer one question alike."""
    return same_value(first, second) and asks_the_same(first, second)


def asks_the_same(first: Memory, second: Memory) -> bool:
    """True if two memories answer one question."""
    if first.scope != second.scope:
        return False
    if first.key == second.key:
        return True
    if not _may_ask_the_same(first, second):
        return False
    ours, theirs = _about(first), _about(second)
    if first.subject and second.subject:
        if not _overlap(first.subject, second.subject):
            return False
        # That both speak of it says nothing of what they ask.
        named = _stems(first.subject) | _stems(second.subject)
        ours, theirs = ours - named, theirs - named
    smaller = min(len(ours), len(theirs))
    return smaller > 0 and len(ours & theirs) / smaller > MIN_SHARED


def is_said_in(quote: str, memory: Memory) -> bool:
    """True if somebody's words hold a memory's value, and do not deny it."""
    said = [stem(word) for word in words(quote)]
    value = [stem(word) for word in _bare(memory.value)]
    if not value or not set(value) <= set(said):
        return False
    before = said[: said.index(value[0])][-MAX_WORDS_DENIED:]
    return DENIES.isdisjoint(before)


def is_all_said_in(quotes: Iterable[str], memory: Memory) -> bool:
    """True if each of several people's words hold all that an answer adds to its question."""
    added = _stems(memory.answer) - _stems(memory.question)
    return all(added <= _stems(quote) for quote in quotes)


def brings_back(memory: Memory, rejected: Memory) -> bool:
    """True if a memory comes back with what a person rejected.

    By what was meant: the same value, or a part of it, for the same question; the same value of the
    same subject, whatever is asked; the same words turned round, so that the value is asked for
    no more. By source: another value for the same question, from an author of the rejected one.
    """
    if asks_the_same(memory, rejected):
        authors = {item.author for item in rejected.evidence if item.author}
        if any(item.author in authors and not item.by_teacher for item in memory.evidence):
            return True
        return _holds(memory, rejected) or _is_part(memory, rejected)
    if not _holds(memory, rejected) or not _names(memory, rejected):
        return False
    if rejected.subject and _value(rejected) <= _value(memory):
        return True
    about, meant = _about(memory) | _value(memory), _about(rejected) | _value(rejected)
    return len(about & meant) > MIN_SHARED * min(len(about), len(meant))


def _may_ask_the_same(first: Memory, second: Memory) -> bool:
    """False if one asks who and the other when, or the like."""
    ours, theirs = asked_for(first.question), asked_for(second.question)
    is_told = bool(ours and theirs) and not {ours, theirs}.isdisjoint(SURE_KINDS)
    return ours == theirs or not is_told


def _holds(memory: Memory, other: Memory) -> bool:
    """True if all words of the other's value stand in what a memory says."""
    value = _value(other)
    return bool(value) and value <= _said(memory)


def _is_part(memory: Memory, other: Memory) -> bool:
    """True if a memory's value is a part of the other's."""
    value = _value(memory)
    return bool(value) and value <= _value(other)


def _names(memory: Memory, other: Memory) -> bool:
    """True if a memory speaks of the other's subject; what has no subject may be about anything."""
    subject = _stems(other.subject)
    return not subject or not subject.isdisjoint(_said(memory))


def _said(memory: Memory) -> set[str]:
    text = f"{memory.subject} {memory.question} {memory.answer} {memory.value}"
    return {stem(word) for word in words(text)}


def _about(memory: Memory) -> set[str]:
    return _stems(f"{memory.subject} {memory.question}")


def _stems(text: str) -> set[str]:
    return {stem(word) for word in content_words(text)}


def _value(memory: Memory) -> set[str]:
    return {stem(word) for word in _bare(memory.value)}


def _overlap(first: str, second: str) -> bool:
    """True if one name is the other's, perhaps shortened; not if each has words of its own."""
    ours, theirs = _stems(first), _stems(second)
    return bool(ours & theirs) and (ours <= theirs or theirs <= ours)


def _bare(value: str) -> list[str]:
    return [word for word in words(re.sub(r"[’']s\b", "", value)) if word not in ARTICLES]
