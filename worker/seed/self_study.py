"""Self-study: the model, shown the evidence, finds other words for a question.

At 135M it does not follow an instruction to reword, but goes on with examples of it. About half of
what it writes asks for something else, so a draft must ask in the same way, for at least half of
what the question turns on. What users might ask about a topic it dreams up well.
"""

import asyncio
import re
from collections.abc import Collection
from typing import Any

from shared.engine.client import LOW_PRIORITY, EngineClient
from worker.seed.english import WH_WORDS, same_word
from worker.seed.forms import DENIES, Form, Lesson, normalized, verify
from worker.seed.loose import NUM_NEAREST, SAYS_NOTHING
from worker.seed.situations import OPENINGS
from worker.seed.thesaurus import Near, content_words
from worker.user_header import user_header

NUM_TRIES = 24
MAX_PARAPHRASES = 6
MAX_TOKENS = 28
TEMPERATURE = 0.9
# Cuts the tail as a nucleus does (arXiv 2407.01082), without sorting the vocabulary for each token.
MIN_P = 0.03
OWN_MAX_TOKENS = 24
ASKED_TEMPERATURE = 0.7
ASKED_MAX_TOKENS = 16
MAX_ASKED = 14
# A paraphrase without this share of what the question turns on asks for something else.
MIN_SHARED_WORDS = 0.5
# A longer one has brought in something of its own.
MAX_ADDED_WORDS = 2
# Asks for anything.
OPEN_WORDS = ("what", "which")
# "How many" is not "how far", and "how does" is "how can".
MEASURES = frozenset("many much long late early often soon far old big large high".split())
REWORDINGS = """\
Fact: The Harbour Grill serves breakfast from six in the morning.
Question: When does the Harbour Grill serve breakfast?
Same question in other words: How early can I eat at the Harbour Grill?

Fact: Doctor Ellery lives next to the old mill.
Question: Where does Doctor Ellery live?
Same question in other words: What is Doctor Ellery's home near to?

Fact: The printer in Room 12 takes blue cartridges.
Question: What cartridges does the printer in Room 12 take?
Same question in other words: Which colour of ink do I need to buy for the printer in Room 12?

Fact: {answer}
Question: {question}
Same question in other words:"""


async def paraphrases(
    engine: EngineClient, model: str, lesson: Lesson, near: Near, taken: Collection[str] = ()
) -> list[Form]:
    """Verified rewordings of the lesson's question, at most `MAX_PARAPHRASES`.

    Args:
        engine: Where the model is.
        model: Its engine-side name.
        lesson: What is asked.
        near: Near words of each word.
        taken: Words that another lesson about the same subject asks with.
    """
    reply = await engine.complete(
        model,
        REWORDINGS.format(answer=lesson.answer, question=lesson.question),
        n=NUM_TRIES,
        temperature=TEMPERATURE,
        min_p=MIN_P,
        max_tokens=MAX_TOKENS,
        stop=["\n"],
        priority=LOW_PRIORITY,
    )
    texts = [choice["text"].strip() for choice in reply["choices"]]
    forms = [
        Form(question=text, answer=lesson.answer, split="train")
        for text in texts
        if asks_the_same(text, lesson, near, taken)
    ]
    verified = {normalized(form.question): form for form in forms if verify(form, lesson)}
    verified.pop(normalized(lesson.question), None)
    return list(verified.values())[:MAX_PARAPHRASES]


async def asked_about(engine: EngineClient, model: str, lesson: Lesson) -> list[Form]:
    """What users might say of a behaviour's topic, as the model goes on with it.

    Returns:
        At most `MAX_ASKED` forms, each with the lesson's answer.
    """

    async def asked(opening: str) -> dict[str, Any]:
        return await engine.complete(
            model,
            await user_header(engine, model, opening),
            n=2,
            temperature=ASKED_TEMPERATURE,
            max_tokens=ASKED_MAX_TOKENS,
            priority=LOW_PRIORITY,
        )

    openings = [frame.format(t=lesson.subject or "") for frame in OPENINGS]
    replies = await asyncio.gather(*map(asked, openings))
    found: dict[str, Form] = {}
    for opening, reply in zip(openings, replies, strict=True):
        for choice in reply["choices"]:
            if ended := re.match(r"[^?.!\n]*[?.!]", choice["text"]):
                form = Form(f"{opening}{ended[0]}", lesson.answer, "train")
                if verify(form, lesson):
                    found.setdefault(normalized(form.question), form)
    return list(found.values())[:MAX_ASKED]


async def own_words(engine: EngineClient, model: str, question: str) -> str:
    """The beginning of what the model says anyway."""
    reply = await engine.chat(
        model,
        [{"role": "user", "content": question}],
        temperature=0,
        max_tokens=OWN_MAX_TOKENS,
        priority=LOW_PRIORITY,
    )
    return (reply["choices"][0]["message"]["content"] or "").strip()


def asks_the_same(text: str, lesson: Lesson, near: Near, taken: Collection[str] = ()) -> bool:
    """True for a question with the same question word, or an open one, and half of the words.

    A near word or another form of one stands for it; what only another lesson asks with does not.
    Where the question turns on no word, or only one of both denies, nothing asks the same.
    """
    said = normalized(text).split()
    asked = _question_word(said)
    known = normalized(lesson.question).split()
    if not text.endswith("?") or asked is None or len(said) > len(known) + MAX_ADDED_WORDS:
        return False
    if asked not in OPEN_WORDS and asked != _question_word(known):
        return False
    if bool(DENIES.search(text)) != bool(DENIES.search(lesson.question)):
        return False
    if set(said) & (set(taken) - set(known)):
        return False
    words = content_words(lesson) - SAYS_NOTHING
    turns_on = set(said) - SAYS_NOTHING - set(normalized(lesson.subject or "").split())
    kept = [
        word
        for word in words
        if any(
            same_word(other, like)
            for other in turns_on
            for like in (word, *near.get(word, ())[:NUM_NEAREST])
        )
    ]
    return len(kept) >= max(MIN_SHARED_WORDS * len(words), 1)


def _question_word(words: list[str]) -> str | None:
    """The first question word, "how" with what it measures; None for none."""
    at = next((place for place, word in enumerate(words) if word in WH_WORDS), None)
    if at is None:
        return None
    measures = words[at] == "how" and MEASURES.intersection(words[at + 1 : at + 2])
    return " ".join(words[at : at + 2]) if measures else words[at]
