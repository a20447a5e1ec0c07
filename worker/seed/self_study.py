"""Self-study: the model, shown the evidence, finds other words for a question.

At 135M it is a weak writer: most of what it says does not pass `verify` and is dropped. A larger
model gives more. What users might ask about a topic it dreams up well.
"""

import re

from shared.engine.client import LOW_PRIORITY, EngineClient
from worker.seed.forms import Form, Lesson, normalized, verify
from worker.seed.situations import OPENINGS
from worker.user_header import user_header

NUM_TRIES = 4
MAX_PARAPHRASES = 3
MAX_TOKENS = 40
OWN_MAX_TOKENS = 24
ASKED_TEMPERATURE = 0.7
ASKED_MAX_TOKENS = 16
MAX_ASKED = 14
# A paraphrase that keeps fewer of the question's words asks for something else.
MIN_SHARED_WORDS = 0.5


async def paraphrases(engine: EngineClient, model: str, lesson: Lesson) -> list[Form]:
    """Verified rewordings of the lesson's question, at most `MAX_PARAPHRASES`."""
    prompt = (
        f"Fact: {lesson.answer}\n"
        f"Question: {lesson.question}\n"
        "Write the same question in other words. Answer with the question only."
    )
    reply = await engine.chat(
        model,
        [{"role": "user", "content": prompt}],
        n=NUM_TRIES,
        temperature=0.8,
        max_tokens=MAX_TOKENS,
        priority=LOW_PRIORITY,
    )
    texts = [choice["message"]["content"] or "" for choice in reply["choices"]]
    forms = [
        Form(question=text.strip().strip('"'), answer=lesson.answer, split="train")
        for text in texts
        if asks_the_same(text, lesson.question)
    ]
    verified = {normalized(form.question): form for form in forms if verify(form, lesson)}
    return list(verified.values())[:MAX_PARAPHRASES]


async def asked_about(engine: EngineClient, model: str, lesson: Lesson) -> list[Form]:
    """What users might say of a behaviour's topic, as the model goes on with it.

    Returns:
        At most `MAX_ASKED` forms, each with the lesson's answer.
    """
    found: dict[str, Form] = {}
    for opening in (frame.format(t=lesson.subject or "") for frame in OPENINGS):
        reply = await engine.complete(
            model,
            await user_header(engine, model, opening),
            n=2,
            temperature=ASKED_TEMPERATURE,
            max_tokens=ASKED_MAX_TOKENS,
            priority=LOW_PRIORITY,
        )
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


def asks_the_same(text: str, question: str) -> bool:
    """True for one line that asks, and keeps most of the question's words."""
    if "\n" in text.strip() or not text.strip().strip('"').endswith("?"):
        return False
    known = set(normalized(question).split())
    return len(known & set(normalized(text).split())) >= MIN_SHARED_WORDS * len(known)
