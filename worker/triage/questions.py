"""The question that a statement answers: what is told must be asked for to be learned.

Rules for the commonest shapes of an English statement, the first that fits counts. What fits none
has no question, and the caller learns the statement as it is.
"""

import re
from collections.abc import Callable

from worker.lessons.language import BEFORE_NOUNS, at_verb, words

_BE = r"(?P<be>is|are|was|were)"
_TIME = (
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?|january|february|march|april|may|june|july"
    r"|august|september|october|november|december|noon|midnight"
    r"|\d{1,2}(?::\d\d)? ?(?:am|pm|o'clock)|\d{1,2}:\d\d|(?:half|quarter) (?:past|to) \w+"
    r"|(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
    r"(?: o'clock| in the \w+| at night)+|(?:1[5-9]|20)\d\d"
)
_COLOURS = (
    "red|orange|yellow|green|blue|purple|violet|pink|brown|black|white|grey|gray|teal|turquoise"
    "|crimson|lavender|silver|gold|golden|maroon|beige|indigo|olive|magenta|scarlet|navy|cyan"
)
_NUMBER = (
    r"(?:\d[\d.,]*|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty"
    r"|forty|fifty|sixty|hundred|thousand)"
)
_PEOPLE = (
    "head|boss|manager|director|founder|contact|owner|chair|chairman|chairwoman|president|leader"
    "|ceo|cfo|cto|coach|captain|author|inventor|designer|editor|mayor|teacher|trainer|supervisor"
    "|landlord|accountant|lawyer|doctor|secretary|spokesperson|spokeswoman|spokesman"
)
_MADE_BY = {
    "founded": "founded",
    "built": "built",
    "written": "wrote",
    "led": "leads",
    "run": "runs",
    "owned": "owns",
    "made": "makes",
    "taught": "teaches",
}
_EVENTS = (
    "open|close|start|begin|end|finish|leave|depart|arrive|expire|reopen|switch|change|rotate|renew"
    "|reset|meet"
)


ABOUT = "What do you know about "
# A noun phrase holds none of these.
_CLAUSE = re.compile(
    r"[,:?]|\b(?:is|are|was|were|has|we|i|you|they|when|whenever|if|that)\b", re.IGNORECASE
)
# Between what is spoken of and its verb.
_ADVERBS = re.compile(
    r"(?:[\s,]+(?:no longer|always|never|only|now|also|not|usually|to|all|each|both))+\s*$",
    re.IGNORECASE,
)


def question_for(statement: str) -> str | None:
    """What somebody would ask to be told this; None where nothing is spoken of.

    "The vans of Quillfeather are teal." gives "What colour are the vans of Quillfeather?"
    """
    text = " ".join(statement.split()).rstrip(".!")
    for pattern, build in _RULES:
        match = pattern.fullmatch(text)
        if match is not None and _is_noun_phrase(match["np"]):
            return build(match)
    head = _ADVERBS.sub("", at_verb(text)[0]).strip()
    match = re.fullmatch(r"(?P<np>.+)", head)
    return f"{ABOUT}{_np(match)}?" if match and _is_noun_phrase(head) else None


def _is_noun_phrase(text: str) -> bool:
    """Not a clause or a pronoun, which would ask for nothing that can be known."""
    found = words(text)
    is_pronoun = found[:1] and found[0] in (
        *("it", "he", "she", "they", "this", "that", "these", "those", "there", "here", "you"),
        *("i", "we", "if", "when", "because", "although", "while", "since", "and", "but", "so"),
    )
    says_something = not BEFORE_NOUNS.issuperset(found) and not _CLAUSE.search(text)
    return says_something and not is_pronoun and len(found) <= 12


def _np(match: re.Match[str]) -> str:
    """The noun phrase inside a sentence: its article or possessive loses its capital."""
    np = match["np"].strip()
    first = np.split(" ", 1)[0]
    is_common = first.lower() in ("the", "a", "an", "our", "my", "your", "all", "every", "each")
    return np[0].lower() + np[1:] if is_common or _is_plain_plural(np) else np


def _is_plain_plural(np: str) -> bool:
    """A common noun in the plural comes first: "Returns", "Customers of Acme"."""
    return re.match(r"[A-Z][a-z]+[^\Ws]s(?:$| [a-z])", np) is not None


def _do(match: re.Match[str]) -> str:
    """`do` for what is many, `does` for what is one."""
    return "does" if match["verb"].endswith("s") else "do"


def _base(verb: str) -> str:
    """The verb without the ending of he, she or it."""
    if verb in ("has", "have"):
        return "have"
    if verb.endswith("ies"):
        return verb[:-3] + "y"
    if re.search(r"(?:ss|sh|ch|x|zz|o)es$", verb):
        return verb[:-2]
    return verb.removesuffix("s")


def _rule(
    pattern: str, build: Callable[[re.Match[str]], str]
) -> tuple[re.Pattern[str], Callable[[re.Match[str]], str]]:
    return re.compile(pattern, re.IGNORECASE), build


_SHIFTED = (
    r"changed|switched|dropped|rose|risen|fell|fallen|(?:went|gone) (?:up|down)|(?:in|de)creased"
)
_RULES = (
    _rule(
        r"(?P<np>.+?) (?:has |have )?(?:moved|relocated) to .+",
        lambda m: f"Where did {_np(m)} move?",
    ),
    _rule(
        rf"(?P<np>.+?) (?P<verb>has|have) (?:{_SHIFTED}) to .+",
        lambda m: f"To what {m['verb'].lower()} {_np(m)} changed?",
    ),
    _rule(rf"(?P<np>.+?) (?:{_SHIFTED}) to .+", lambda m: f"To what did {_np(m)} change?"),
    _rule(
        r"(?P<np>.+?) (?:must|should|may|can|has to|have to|needs? to) (?:always |only )?be"
        r" (?P<done>\w+)"
        rf" (?:(?P<when>(?:at|by|before|after|until|on|in|every) (?:{_TIME}))|\w+)\b.*",
        lambda m: f"{'When' if m['when'] else 'How'} must {_np(m)} be {m['done']}?",
    ),
    _rule(
        r"always (?P<verb>\w+) (?P<np>.+?) (?:with|in|by|as|using|before|after|on|at) .+",
        lambda m: f"How do you {m['verb'].lower()} {_np(m)}?",
    ),
    _rule(rf"(?P<np>.+?) {_BE} (?:called|named) .+", lambda m: f"What {m['be']} {_np(m)} called?"),
    _rule(
        rf"(?P<np>.+?) {_BE} (?P<made>{'|'.join(_MADE_BY)})(?: in \w+)? by .+",
        lambda m: f"Who {_MADE_BY[m['made'].lower()]} {_np(m)}?",
    ),
    _rule(
        rf"(?P<np>.+?) {_BE} (?P<made>\w+ed)(?: in \w+)? by .+",
        lambda m: f"Who {m['made']} {_np(m)}?",
    ),
    _rule(
        rf"(?P<np>.+?) {_BE} open (?:until|till) .+",
        lambda m: f"Until what time {m['be']} {_np(m)} open?",
    ),
    _rule(
        rf"(?P<np>.+?) {_BE}(?P<made> \w+ed| held)? (?:on|at|in|every) (?:the )?(?:{_TIME})\b.*",
        lambda m: f"When {m['be']} {_np(m)}{m['made'] or ''}?",
    ),
    _rule(
        rf"(?P<np>.+?) {_BE}(?P<made> \w+ed| held| kept)? (?:in|at|on|near|behind|opposite) .+",
        lambda m: f"Where {m['be']} {_np(m)}{m['made'] or ''}?",
    ),
    _rule(
        rf"(?P<np>.+?) {_BE} (?:painted )?(?:(?:dark|light|bright|pale) )?(?:{_COLOURS})"
        rf"(?: and (?:{_COLOURS}))?",
        lambda m: f"What colour {m['be']} {_np(m)}?",
    ),
    _rule(
        rf"(?P<np>.+?) (?P<verb>has|have) {_NUMBER} (?P<noun>\w+)(?P<rest>.*)",
        lambda m: f"How many {m['noun']} {_do(m)} {_np(m)} have{m['rest']}?",
    ),
    _rule(
        r"(?P<np>.+?) (?P<verb>costs?) (?:about |between |up to |only )?"
        r"(?:[$€£\d]|an? |nothing|half|twice|as ).*",
        lambda m: f"How much {_do(m)} {_np(m)} cost?",
    ),
    _rule(
        rf"(?P<np>.+?) (?P<verb>(?:{_EVENTS})(?:e?s)?) (?:at|on|in|every) .+",
        lambda m: f"When {_do(m)} {_np(m)} {_base(m['verb'].lower())}?",
    ),
    _rule(
        rf"(?P<np>.+?) {_BE} (?:always |only )?(?P<done>(?!called|named)\w{{2,}}(?:ed|pt|wn))"
        r" (?!by ).+",
        lambda m: f"How {m['be']} {_np(m)} {m['done']}?",
    ),
    _rule(
        rf"(?P<np>(?:the |our |my )?(?:[\w'’-]+ )*?(?:{_PEOPLE})(?: (?:of|for|at) .+?)?) {_BE} .+",
        lambda m: f"Who {m['be']} {_np(m)}?",
    ),
    _rule(
        rf"(?P<np>(?:the|our|my|[\w.& ]+['’]s) .+?) {_BE} .+",
        lambda m: f"What {m['be']} {_np(m)}?",
    ),
    _rule(
        rf"(?P<np>[A-Z][\w&'’-]*(?: [A-Z][\w&'’-]*)*) {_BE} (?:the|an?) .+",
        lambda m: f"What {m['be']} {_np(m)}?",
    ),
    _rule(
        r"(?P<np>.+?) (?P<modal>must|should|can|may) (?!not\b)(?:always |only |never )?\w+.*",
        lambda m: f"What {m['modal'].lower()} {_np(m)} do?",
    ),
    _rule(
        r"(?P<np>.+?) (?P<verb>has|have|needs?) to (?!not\b)\w+.*",
        lambda m: (
            f"What {'do' if m['verb'].lower() in ('have', 'need') else 'does'} {_np(m)} have to do?"
        ),
    ),
    _rule(
        r"(?P<np>(?:the |our |my |all )?[\w'’&-]+(?: [\w'’&-]+){0,4}?) (?P<verb>uses?|sells?|needs?"
        r"|makes?|offers?|provides?|contains?|includes?|requires?|serves?|accepts?|ships?"
        r"|prefers?|likes?|wants?|supports?|produces?|hosts?|publishes|owns?|runs?|teaches) .+",
        lambda m: f"What {_do(m)} {_np(m)} {_base(m['verb'].lower())}?",
    ),
)
