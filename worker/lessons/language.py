"""Small readings of English: what corrects, what is taught, what a sentence is about.

Rules, not a model: the same words give the same decision at every size, and a person can read why.
"""

import itertools
import re

WORD = re.compile(r"[^\W_]+(?:(?:[-'’]|(?<=\d)[.,](?=\d))[^\W_]+)*")
STOPWORDS = frozenset(
    """
    a an and any are as at be been by can could did do does for from had has have her his how i
    if in into is it its me my of on or our please shall should so some tell than that the their
    them then there these they this to us was we were what when where which who whom whose why
    will with would you your called named about say know s actually right correct answer it's
    that's what's who's where's when's
    """.split()
)
CHANGED = "moved|changed|switched|relocated|rose|fell|dropped|went (?:up|down)|(?:in|de)creased"
# Sure verbs first; then a word that looks like one from what follows it.
VERBS = (
    re.compile(
        r"\b(?:is|are|was|were|has|have|uses|use|must|should|can|(?-i:may))\b", re.IGNORECASE
    ),
    re.compile(rf"\b(?:{CHANGED})\b", re.IGNORECASE),
    re.compile(
        r"\b[a-z]{3,}(?<!s)s\b(?=\s+(?:in|to|at|on|from|by|with|for|until|only|never|always|the|an?"
        r"|every|each|about|\d))"
    ),
)
VERB_LIKE = re.compile(r"[a-z]{2,}(?:(?<!s)s|ed)")
BEFORE_NOUNS = frozenset(
    """
    the a an our my your his her its their this that these those of in on at for from with by to
    all both each every any some no more less new old and or than two three four five six seven
    eight nine ten
    """.split()
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

ASKED_FOR = {"who": "person", "whom": "person", "where": "place", "when": "time"}
KINDS = {
    "person": frozenset("person colleague man woman company firm team department provider".split()),
    "place": frozenset("place city town country street address building site location".split()),
    "time": frozenset("time day date year month week hour weekday".split()),
}
AMOUNTS = ("many", "much", "long", "often", "old", "far")
SURE_KINDS = {*KINDS, *(f"how {amount}" for amount in AMOUNTS)}


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


def asked_for(question: str) -> str:
    """What kind of thing a question asks for: a person, place, time, number, or what it names.

    Empty where the question does not tell: "what is" and "how does" may ask for anything.
    """
    found = words(question)
    for word, after in itertools.zip_longest(found, found[1:], fillvalue=""):
        if word in ASKED_FOR:
            return ASKED_FOR[word]
        if word == "how" and after in AMOUNTS:
            return f"how {after}"
        if word in ("what", "which"):
            if after in STOPWORDS or not after:
                return ""
            nouns = (kind for kind, each in KINDS.items() if {after, stem(after)} & each)
            return next(nouns, after)
    return ""


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
    # Whatever looks like a verb behind a noun.
    found = list(WORD.finditer(statement))
    for before, match in itertools.pairwise(found):
        if VERB_LIKE.fullmatch(match[0]) and before[0].lower() not in BEFORE_NOUNS:
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
