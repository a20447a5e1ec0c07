"""Lists of English words as patterns: one a word, or a few joined by `_`; `*` takes any ending."""

import re


def any_of(words: str) -> re.Pattern[str]:
    """A pattern of whole words, in any case."""
    escaped = "|".join(map(re.escape, words.split()))
    alternatives = escaped.replace("_", r"[ -]?").replace(r"\*", r"\w*")
    return re.compile(rf"\b(?:{alternatives})\b", re.IGNORECASE)
