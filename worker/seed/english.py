"""Small English transforms of questions: enough to ask the same thing in other words.

Nothing here is exact grammar. A transform that does not know a shape returns None, and the caller
does with fewer wordings.
"""

import re

WH_WORDS = ("what", "which", "who", "whom", "whose", "where", "when", "why", "how")
COPULAS = ("is", "are", "was", "were")
MODALS = ("can", "could", "will", "would", "should", "must", "may", "might", "shall")
PRONOUNS = ("i", "we", "you", "they", "he", "she", "it")
DETERMINERS = ("the", "a", "an", "our", "my", "your", "their", "its", "his", "her", "this", "that")
# What may follow a noun phrase in "Where is the meeting held?": it goes behind the verb again.
COMPLEMENTS = """
    based called named held located open closed made painted due available born founded opened
    built sold kept stored written used placed situated scheduled hosted launched
    """.split()
# A preposition that its question word has left behind: "Which floor is the canteen on?"
PREPOSITIONS = ("of", "on", "in", "at", "for", "from", "with", "by", "to", "under", "about")
# No adverbs.
VERBS_IN_LY = ("apply", "supply", "reply", "rely", "fly", "comply", "multiply")
# Endings, and what stands in their place before they are added. Triage's `stem` takes fewer off,
# and is part of stored keys.
STEMS = (("ies", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""), ("e", ""))
# "Who <verb> X?" as a noun: "the <noun> of X".
AGENTS = {
    "founded": "founder",
    "owns": "owner",
    "leads": "leader",
    "runs": "head",
    "manages": "manager",
    "created": "creator",
    "invented": "inventor",
    "wrote": "author",
    "designed": "designer",
    "built": "builder",
    "started": "founder",
    "directs": "director",
    "chairs": "chair",
    "teaches": "teacher",
}
_STOP_WORDS = frozenset(
    (
        *WH_WORDS,
        *COPULAS,
        *MODALS,
        *PRONOUNS,
        *DETERMINERS,
        *PREPOSITIONS,
        "me",
        "us",
        "do",
        "does",
        "did",
        "has",
        "have",
        "had",
        "be",
        "been",
        "called",
        "named",
        "there",
        "and",
        "or",
        "please",
        "what's",
        "who's",
        "where's",
        "until",
        "into",
    )
)
# The noun that a bare question word stands for.
WH_NOUNS = {"where": "location", "when": "time"}


def strip_question(question: str) -> str:
    """The question on one line without its final punctuation."""
    return re.sub(r"\s+", " ", question).strip().rstrip("?.! ").strip()


def keywords(question: str) -> list[str]:
    """The words that carry the meaning, in order: what somebody in a hurry would type."""
    words = re.findall(r"[\w&'’.:-]*\w", question)
    return [word for word in words if word.lower() not in _STOP_WORDS]


def lower_first(text: str) -> str:
    """Lower the first letter unless the first word is a name or "I"."""
    first = text.split(" ", 1)[0]
    known = first.lower().removesuffix("'s") in (
        *WH_WORDS,
        *COPULAS,
        *MODALS,
        *DETERMINERS,
        "do",
        "does",
        "did",
        "in",
        "on",
        "at",
        "until",
        "from",
        "to",
        "for",
        "with",
        "by",
        "under",
        "has",
        "have",
        "had",
    )
    return text[:1].lower() + text[1:] if known else text


def upper_first(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def indirect(question: str) -> str | None:
    """The question as a clause: "Where is the office of B?" -> "where the office of B is".

    Returns:
        A clause without punctuation, or None for a shape that is not known.
    """
    words = strip_question(question).split(" ")
    lowered = [word.lower() for word in words]
    if lowered[0] in ("is", "are", "was", "were", "do", "does", "did", *MODALS):
        clause = _uninvert(words, 0)
        return f"whether {clause}" if clause else None
    wh_at = next((i for i, word in enumerate(lowered[:3]) if word in WH_WORDS), None)
    if wh_at is None:
        contracted = re.match(r"(what|where|who|when|how)['’]s (.+)", " ".join(words), re.I)
        return indirect(f"{contracted[1]} is {contracted[2]}") if contracted else None
    for at in range(wh_at + 1, len(words)):
        if lowered[at] in (*COPULAS, *MODALS, "do", "does", "did", "has", "have", "had"):
            head = lower_first(" ".join(words[:at]))
            rest = words[at + 1 :]
            if not rest or (lowered[at] in ("has", "have", "had") and at == wh_at + 1):
                break
            is_subject = (
                lowered[wh_at] == "who"
                and at == wh_at + 1
                and lowered[at] in COPULAS
                and rest[0].lower() not in DETERMINERS
                and not rest[0][:1].isupper()
            )
            clause = None if is_subject else _uninvert(words, at)
            return f"{head} {clause}" if clause else lower_first(" ".join(words))
    # No auxiliary: the question word is the subject, and the order is a statement's already.
    return lower_first(" ".join(words))


def _uninvert(words: list[str], at: int) -> str | None:
    """`words[at:]` with the auxiliary `words[at]` moved behind its subject."""
    auxiliary, rest = words[at].lower(), words[at + 1 :]
    if not rest:
        return None
    if auxiliary in COPULAS:
        end = len(rest)
        if end > 1 and rest[-1].lower() in PREPOSITIONS:
            end -= 1
        if end > 1 and rest[end - 1].lower() in COMPLEMENTS:
            end -= 1
        if end == len(rest) and at == 0:
            return None
        return " ".join([*rest[:end], auxiliary, *rest[end:]])
    length = _subject_length(rest)
    if length is None or length >= len(rest):
        return None
    end = length
    subject, verb, tail = rest[:end], rest[end].lower(), rest[end + 1 :]
    if verb in PREPOSITIONS or (verb.endswith("ly") and verb not in VERBS_IN_LY):
        # More of the subject, or an adverb: the verb comes later.
        return None
    if auxiliary == "do":
        return " ".join([*subject, verb, *tail])
    if auxiliary == "does":
        return " ".join([*subject, third_person(verb), *tail])
    return " ".join([*subject, auxiliary, verb, *tail])


def _subject_length(words: list[str]) -> int | None:
    """How many words the subject at the front of `words` takes, where that is clear."""
    if words[0].lower() in PRONOUNS:
        return 1
    length = 0
    while length < len(words) and words[length][:1].isupper():
        length += 1
        if words[length - 1].endswith(("'s", "’s")):
            return length + 1
    if length == 0 and len(words) > 3 and words[1].lower() in ("of", "at", "in", "from"):
        # "customers of B have": a bare noun and the name behind it.
        name_length = _subject_length(words[2:]) if words[2][:1].isupper() else None
        return 2 + name_length if name_length else None
    if length == 0 and words[0].lower() in DETERMINERS:
        # "the B library open": with nothing behind it the last word is the verb.
        return len(words) - 1 if len(words) <= 4 else None
    return length or None


def third_person(verb: str) -> str:
    """The verb with he, she or it: "open" -> "opens"."""
    if verb == "have":
        return "has"
    if verb.endswith(("s", "sh", "ch", "x", "z", "o")):
        return verb + "es"
    if verb.endswith("y") and verb[-2:-1] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + "s"


def inflected(word: str, other: str) -> bool:
    """Whether two words look like forms of one: "prefers" and "preferred"."""
    stem_length = max(3, min(len(word), len(other)) - 2)
    return word[:stem_length].lower() == other[:stem_length].lower()


def same_word(word: str, other: str) -> bool:
    """Whether two words are forms of one: "closes" and "closing", not "company" and "compare"."""
    return _stem(word.lower()) == _stem(other.lower())


def _stem(word: str) -> str:
    for ending, instead in STEMS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word.removesuffix(ending) + instead
            break
    return word[:-1] if word[-2:-1] == word[-1:] else word


def noun_phrase(question: str) -> str | None:
    """What is asked for, as a noun phrase: "Who founded B?" -> "the founder of B"."""
    text = strip_question(question)
    text = re.sub(r"^(what|where|who|when)['’]s ", r"\1 is ", text, flags=re.I)
    if match := re.match(r"what (?:is|are|was|were) (.+) (?:called|named)$", text, re.I):
        return f"the name of {match[1]}"
    if match := re.match(r"what (?:is|are|was|were) (.+)$", text, re.I):
        return match[1] if _is_noun_phrase(match[1]) else None
    if match := re.match(r"(?:what|which) (\w+) (?:is|are|was|were) (.+)$", text, re.I):
        rest = _without_complement(match[2])
        return f"the {match[1].lower()} of {rest}" if _is_noun_phrase(rest) else None
    if match := re.match(r"(where|when) (?:is|are|was|were) (.+)$", text, re.I):
        rest = _without_complement(match[2])
        return f"the {WH_NOUNS[match[1].lower()]} of {rest}" if _is_noun_phrase(rest) else None
    if match := re.match(r"who (\w+) (.+)$", text, re.I):
        verb, rest = match[1].lower(), match[2]
        if verb in COPULAS:
            return rest if _is_noun_phrase(rest) else None
        if verb in (*MODALS, "do", "does", "did", "has", "have"):
            return None
        if verb in AGENTS and _is_noun_phrase(rest):
            return f"the {AGENTS[verb]} of {rest}"
        return f"the person who {verb} {rest}"
    if match := re.match(r"how many (\w+) (.+)$", text, re.I):
        clause = indirect(text)
        if clause and clause != lower_first(text):
            return "the number of " + clause.removeprefix("how many ")
    return None


def _without_complement(text: str) -> str:
    """The phrase alone: "the bridge made of" -> "the bridge"."""
    words = text.split(" ")
    if len(words) > 1 and words[-1].lower() in PREPOSITIONS:
        words.pop()
    if len(words) > 1 and words[-1].lower() in COMPLEMENTS:
        words.pop()
    return " ".join(words)


def _is_noun_phrase(text: str) -> bool:
    first = text.split(" ", 1)[0]
    return first.lower() in DETERMINERS or first[:1].isupper()


def swap_possessive(phrase: str) -> str | None:
    """Turn "the office of B" into "B's office" and back; None where there is nothing to swap."""
    name = r"([A-Z][\w&-]*(?: [A-Z][\w&-]*)*)"
    # What is behind the last "the" is the name's: "the location of B's office".
    if match := re.match(rf"(the [\w -]+ )?the ([\w -]+?) of {name}$", phrase):
        return f"{match[1] or ''}{match[3]}'s {match[2]}"
    if match := re.match(rf"{name}['’]s ([\w -]+)$", phrase):
        return f"the {match[2]} of {match[1]}"
    return None
