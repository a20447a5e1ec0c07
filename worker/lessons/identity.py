"""Whether two lessons say the same, or speak of the same, whatever words they come in.

What shares a key is the same question. Beyond that words are compared, without endings: enough to
see that a rejected lesson comes back or that two people mean one thing, and cautious both ways.
"""

import re

from shared.contracts.memories import Memory
from worker.lessons.language import content_words, stem, words

ARTICLES = frozenset("the a an our its their der die das ein eine le la les el los il".split())
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
    if first.subject and second.subject and not _overlap(first.subject, second.subject):
        return False
    ours, theirs = _about(first), _about(second)
    smaller = min(len(ours), len(theirs))
    return smaller > 0 and len(ours & theirs) / smaller > MIN_SHARED


def brings_back(memory: Memory, rejected: Memory) -> bool:
    """True if a memory comes back with what a person rejected.

    By what was meant: the same value about the same thing, in question or answer. By source:
    another value for the same question, from an author of the rejected one.
    """
    if asks_the_same(memory, rejected):
        authors = {item.author for item in rejected.evidence if item.author}
        if any(item.author in authors and not item.by_teacher for item in memory.evidence):
            return True
        return _holds(memory, rejected) or _holds(rejected, memory)
    about, meant = _about(memory) | _value(memory), _about(rejected) | _value(rejected)
    both = len(about & meant)
    return _holds(memory, rejected) and both > MIN_SHARED * min(len(about), len(meant))


def _holds(memory: Memory, other: Memory) -> bool:
    """True if all words of the other's value stand in what a memory says."""
    value = _value(other)
    said = {stem(word) for word in words(f"{memory.question} {memory.answer} {memory.value}")}
    return bool(value) and value <= said


def _about(memory: Memory) -> set[str]:
    return {stem(word) for word in content_words(f"{memory.subject} {memory.question}")}


def _value(memory: Memory) -> set[str]:
    return {stem(word) for word in _bare(memory.value)}


def _overlap(first: str, second: str) -> bool:
    return not {*words(first)}.isdisjoint(words(second))


def _bare(value: str) -> list[str]:
    return [word for word in words(re.sub(r"[’']s\b", "", value)) if word not in ARTICLES]
