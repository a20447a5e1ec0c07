"""Small readings of English: what corrects, what is taught, what a sentence is about.

Rules, not a model: the same words give the same decision at every size, and a person can read why.
"""

import re

WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
STOPWORDS = frozenset(
    """
    a an and any are as at be been by can could did do does for from had has have her his how i
    if in into is it its me my of on or our please shall should so some tell than that the their
    them then there these they this to us was we were what when where which who whom whose why
    will with would you your called named about say know s actually right correct answer it's
    that's what's who's where's when's
    """.split()
)
# What opens a correction; taken off, again and again, until the lesson itself begins.
_IT_IS = r"(?:that|this|it|you)(?:['’](?:s|re)|\ +(?:is|was|are))"
OPENERS = re.compile(
    rf"""^\s*(?:
        (?:nope|no|nah)(?=\s*[,.;:!—–-]|\s+(?:it|the|they|that|we|our|no)\b)
        |[^.!?]{{0,40}}\bi(?:'m|’m|\ am)\ afraid(?=\s*[.,!])
        |i(?:'m|’m|\ am)\ afraid
        |(?:not\ (?:quite|really|right|correct|true)|hmm+|sorry|actually|correction|but)
        |wrong|incorrect|false
        |{_IT_IS}\ +(?:just\ |simply\ |completely\ )?(?:wrong|incorrect|mistaken|false|a\ mistake)
        |{_IT_IS}(?:n['’]t|\ +not)\ +(?:quite\ |really\ )?(?:right|correct|true|it)
        |you\ (?:got|have|had)\ (?:that|it|this)\ wrong
        |that\ was\ (?:last|the\ old|before|until|in\ the\ past)\b[^.!?]*[.!]
        |(?:the\ )?(?:right|correct)\ answer\ is(?:\ that)?
        |i\ (?:meant|said)|(?:i\ think\ )?you\ mean
    )(?![\w'’])[\s,.;:!—–-]*""",
    re.IGNORECASE | re.VERBOSE,
)
TEACHERS = re.compile(
    r"""^\s*(?:for\ (?:now|this\ \w+),?\s+)?(?:please\s+)?(?:
        (?:remember|keep\ in\ mind|note|learn|don['’]t\ forget|bear\ in\ mind)(?:\ that)?
        |for\ (?:future\ )?reference|(?:just\ )?so\ (?:that\ )?you\ know|fyi
        |for\ your\ information
        |i(?:\ want|['’]d\ like|\ would\ like)\ you\ to\ (?:know|remember)(?:\ that)?
        |(?:can|could)\ you\ (?:store|save|remember|note)\ (?:this|that)[^:,]{0,30}[:,]
        |from\ now\ on(?=.*\b(?:we|our|us|customers?|clients?|guests?|team|staff)\b)
    )\b[\s,.;:!—–-]*""",
    re.IGNORECASE | re.VERBOSE,
)
# "Our contact is Birgit Salo. Please remember that."
TEACHING_END = re.compile(
    r"^(?P<lesson>.+?[.!])\s*(?:please\s+)?(?:remember|note|keep in mind)\s+(?:that|this|it)\b"
    r"(?:,?\s+please)?[.!]*\s*$",
    re.IGNORECASE | re.DOTALL,
)
TEMPORARY = re.compile(
    r"\b(?:for now|just (?:this|for) (?:once|now|today)|for the (?:next|rest)\b"
    r"|(?:in|for) this (?:chat|conversation|session)|(?:today|this time) only"
    r"|until i say)\b",
    re.IGNORECASE,
)
TRAILERS = re.compile(
    r"\s*\b(?:please\s+(?:remember|keep|note)(?:\s+\w+){0,4}|thanks?(?:\s+you)?|ok(?:ay)?)[.!]*\s*$",
    re.IGNORECASE,
)
# Sure verbs first; then a word that looks like one from what follows it.
VERBS = (
    re.compile(
        r"\b(?:is|are|was|were|has|have|uses|use|must|should|can|(?-i:may))\b", re.IGNORECASE
    ),
    re.compile(
        r"\b[a-z]{3,}(?<!s)s\b(?=\s+(?:in|to|at|on|from|by|with|for|until|only|never|always|the|an?"
        r"|every|each|about|\d))"
    ),
)
# A capitalised run inside a sentence is taken for a name.
NAME = re.compile(r"\b[A-Z][\w&'’-]*(?:\s+(?:of\s+the\s+|of\s+|the\s+)?[A-Z][\w&'’-]*)*")
NOT_NAMES = frozenset(
    """
    what which who whom whose where when why how is are was were do does did can could will
    would shall should may in on at the a an i tell name give please hello hi hey if and so no
    our my your its it this that these those remember note
    """.split()
)


def words(text: str) -> list[str]:
    """The lower-case words."""
    return [word.lower() for word in WORD.findall(text)]


def content_words(text: str) -> list[str]:
    """The words that carry meaning, in order, each once."""
    return list(dict.fromkeys(word for word in words(text) if word not in STOPWORDS))


def stem(word: str) -> str:
    """A word without its commonest endings, so that `sell` and `sells` are one."""
    word = word.removesuffix("'s").removesuffix("’s")
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word


def is_question(text: str) -> bool:
    """True if the text asks."""
    return text.rstrip().endswith("?")


def correction_in(text: str) -> str | None:
    """The lesson in a turn that corrects the one before; None if it corrects nothing.

    "No, that's wrong. The vans are teal." gives "The vans are teal."
    """
    rest, opened = text.strip(), False
    while (match := OPENERS.match(rest)) is not None:
        rest, opened = rest[match.end() :], True
    if not opened:
        return None
    return _lesson(rest)


def taught_in(text: str) -> str | None:
    """The lesson in a turn that asks to remember something; None if it does not."""
    if (match := TEACHERS.match(text)) is not None:
        return _lesson(text[match.end() :])
    if (match := TEACHING_END.match(text)) is not None:
        return _lesson(match["lesson"])
    return None


def _lesson(rest: str) -> str | None:
    rest = TRAILERS.sub("", rest).strip().rstrip(",;:")
    if not rest or is_question(rest) or not content_words(rest):
        return None
    rest = rest[0].upper() + rest[1:]
    return rest if rest[-1] in ".!" else rest + "."


def is_temporary(text: str) -> bool:
    """True if the words say that they only hold for now."""
    return TEMPORARY.search(text) is not None


def subject_of(question: str, answer: str) -> str:
    """The name that a question is about; empty where there is none.

    The longest name of the question, one that the answer shares first.
    """
    names = _names(question)
    shared = [name for name in names if name.lower() in answer.lower()]
    candidates = shared or names
    return max(candidates, key=len) if candidates else ""


def _names(text: str) -> list[str]:
    names = []
    for match in NAME.finditer(text):
        parts = match.group().split()
        while parts and parts[0].lower() in NOT_NAMES:
            parts.pop(0)
        name = re.sub(r"['’]s$", "", " ".join(parts))
        if len(name) > 1:
            names.append(name)
    return names


def relation_of(question: str, subject: str) -> str:
    """What is asked about the subject: the question's other content words, in a fixed order."""
    about = {stem(word) for word in words(subject)}
    asked = {stem(word) for word in content_words(question)}
    return " ".join(sorted(asked - about))


def value_of(question: str, answer: str) -> str:
    """The short answer: the longest run of the answer that the question does not hold.

    "Where is Acme's head office?", "Acme's head office is in Tromso." gives "Tromso".
    """
    known = {stem(word) for word in words(question)}
    runs: list[tuple[int, int]] = []
    for match in WORD.finditer(answer):
        word = match.group().lower()
        inside = bool(runs) and not re.search(r"[.;!]", answer[runs[-1][1] : match.start()])
        if stem(word) in known and not (inside and word in STOPWORDS):
            runs.append((match.end(), match.end()))
        elif inside and runs[-1][0] != runs[-1][1]:
            runs[-1] = (runs[-1][0], match.end())
        elif word not in STOPWORDS:
            runs.append((match.start(), match.end()))
    texts = [_trimmed(answer[start:end]) for start, end in runs if end > start]
    return max(texts, key=lambda text: len(content_words(text)), default="")


def at_verb(statement: str) -> tuple[str, str]:
    """A statement around its verb: what it speaks of, what it says; both empty without a verb."""
    for verb in VERBS:
        if (match := verb.search(statement)) is not None and words(statement[: match.start()]):
            return statement[: match.start()], statement[match.end() :]
    return "", ""


def _trimmed(text: str) -> str:
    """Without verbs before a name or number, and without stopwords at the end."""
    found = list(WORD.finditer(text))
    marked = [match for match in found if re.search(r"[A-Z0-9]", match.group())]
    if marked:
        found = found[found.index(marked[0]) :]
    while len(found) > 1 and found[0].group().lower().endswith("ed"):
        found.pop(0)
    while found and found[-1].group().lower() in STOPWORDS:
        found.pop()
    return text[found[0].start() : found[-1].end()] if found else ""
