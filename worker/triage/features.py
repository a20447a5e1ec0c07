"""What a turn looks like, as names that a person can read: what the reader weighs.

A name or a number that nobody has seen says little; where it stands, and the small words around
it, say much. So a turn is seen with its own words masked, beside the turn and the reply before.
"""

import re
from collections.abc import Iterator, Sequence

from worker.lessons.language import (
    STOPWORDS,
    at_verb,
    content_words,
    is_question,
    stem,
    value_of,
    words,
)
from worker.triage import cues
from worker.triage.behaviours import rule_in
from worker.triage.lessons import ASKS, KEEPS, REWRITES, correction_in, is_temporary, taught_in

# Words whose place tells what somebody does with a sentence; they are seen as they are.
SMALL_WORDS = STOPWORDS | frozenset(
    """
    he him she hers ours theirs yours mine be am being doesn't didn't isn't aren't wasn't weren't
    won't can't don't shouldn't no not nope nah never always only just now since until before after
    once again anymore longer by about into over than as but because while though although every
    each all any both everyone everybody anyone anybody customers people team staff please thanks
    thank ok okay sorry remember note keep learn mind forget memory future wrong false mistake
    old new used changed moved different instead rather think mean meant said call yes yeah hi
    hello hey oh ah well fine good great nice lol haha today tomorrow tonight yesterday next last
    make give write show take put try add rewrite translate explain suppose imagine guess maybe
    perhaps probably really quite very too more less another something rule policy means stopped
    it's i'm i've i'd i'll we've we're we'll that's they've they're you're there's here's let's
    """.split()
)
TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d[\d.,:]*|[.,!?;:\"()–—-]")
ENDINGS = ("ly", "ing", "ed", "s")
LONGEST_RUN = 3
CUES = (
    "ABOUT_ME",
    "ACKNOWLEDGES",
    "ANSWERS",
    "BELONGS_ELSEWHERE",
    "DENIES_ONLY",
    "FIRST_PERSON",
    "GOES_ON",
    "HOUSE_RULE",
    "INSTEAD",
    "NOWADAYS",
    "OF_THE_HOUSE",
    "OPINION",
    "PASSING",
    "PERSONAL",
    "PREFERS",
    "QUESTION_START",
    "TAKES_BACK",
    "VALUE_FIRST",
    "WISH",
)


def features(said: str, question: str | None = None, reply: str = "") -> frozenset[str]:
    """Everything that is true of a turn.

    Args:
        said: The turn.
        question: The user's turn before it; None at the beginning of a conversation.
        reply: What was answered to that.
    """
    found = {*_of_itself(said)}
    if question is None:
        return frozenset(found | {"begins the conversation"})
    return frozenset(found | {*_beside(said, question, reply)})


def _of_itself(said: str) -> Iterator[str]:
    tokens = _masked(said)
    for run in _runs(["^", *tokens, "$"]):
        yield f'"{run}"'
    for length in range(1, LONGEST_RUN + 1):
        yield f'opens with "{" ".join(tokens[:length])}"'
    yield from (f"the word {word}" for word in words(said))
    yield from (f"cue {name}" for name in CUES if getattr(cues, name).search(said))
    num_words = len(words(said))
    yield f"{min(num_words // 6 * 6, 36)} words and more"
    checks = {
        "asks": is_question(said),
        "asks without a mark": ASKS.match(said) is not None,
        "holds for now": is_temporary(said),
        "a rule of behaviour": rule_in(said) is not None,
        "text to work on": REWRITES.match(said) is not None,
        "asks to keep": KEEPS.search(said) is not None,
        "asks to keep, and says what": taught_in(said) is not None,
        "has a verb": bool(at_verb(said)[1]),
    }
    yield from (name for name, holds in checks.items() if holds)


def _beside(said: str, question: str, reply: str) -> Iterator[str]:
    asked = _masked(question)
    for length in range(1, LONGEST_RUN + 1):
        yield f'the question opens with "{" ".join(asked[:length])}"'
    yield from (f"the question says {word}" for word in words(question))
    yield f'the question ends with "{asked[-1] if asked else ""}"'
    here, before, replied = (_stems(text) for text in (said, question, reply))
    yield f"shares {_few(here & before)} words with the question"
    yield f"shares {_few(here & replied)} words with the reply"
    yield f"brings {_few(here - before - replied)} new words"
    known = {*words(reply), *words(question)}
    asks = is_question(question) or cues.QUESTION_START.match(question)
    checks = {
        "the reply asks back": is_question(reply),
        "brings a new name or number": any(
            word.lower() not in known for word in cues.NAMED_INSIDE.findall(said)
        ),
        "the question has one right answer": bool(asks) and not cues.OPEN_QUESTION.search(question),
        "gives the question a value": bool(value_of(question, said)),
        "opens like a correction": correction_in(said) is not None,
    }
    yield from (name for name, holds in checks.items() if holds)


def _masked(text: str) -> list[str]:
    """The tokens of a text: small words as they are, all others by their looks."""
    masked: list[str] = []
    for match in TOKEN.finditer(text):
        token = match[0].lower().replace("’", "'")
        is_first = not masked or masked[-1] in (".", "!", "?")
        if token in SMALL_WORDS or not token[0].isalnum():
            masked.append(token)
        elif token[0].isdigit():
            masked.append("<number>")
        elif match[0][0].isupper() and not is_first:
            masked.append("<Name>")
        else:
            ending = next((ending for ending in ENDINGS if token.endswith(ending)), "")
            masked.append(f"<word {ending}>" if ending else "<word>")
    return masked


def _runs(tokens: Sequence[str]) -> Iterator[str]:
    for length in range(1, LONGEST_RUN + 1):
        for start in range(len(tokens) - length + 1):
            yield " ".join(tokens[start : start + length])


def _stems(text: str) -> set[str]:
    return {stem(word) for word in content_words(text)}


def _few(found: set[str]) -> str:
    return str(len(found)) if len(found) < 4 else "4 or more"
