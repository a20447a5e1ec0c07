"""The same question with other words: what the model itself reads alike, one word for another.

Frames change how a question is built; users also change the words that carry it ("workers" for
"employees"). At 135M a model does not find those when asked for paraphrases, but its input
embeddings know them.
"""

import asyncio
import json
import os
import random
import re
import sys
from collections.abc import Collection, Mapping, Sequence

from shared.errors import TrainerError
from worker.seed.english import keywords
from worker.seed.forms import Form, Lesson, normalized, verify

NUM_SUBSTITUTED = 10
# How many drafts are made for each that is wanted: some are double or do not hold.
DRAFTS_EACH = 8
SUBSTITUTION_RATE = 0.6
TIMEOUT_S = 300.0
MAX_ERROR_CHARS = 2000

Near = Mapping[str, Sequence[str]]


async def near_words(model_dir: str, words: Collection[str], num_threads: int) -> Near:
    """For each word those that the base model reads alike, nearest first.

    Raises:
        TrainerError: If the model's embeddings cannot be read.
    """
    if not words:
        return {}
    asked = sorted(words)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "worker.trainer.words",
        model_dir,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": str(num_threads), "GOMP_SPINCOUNT": "5000"},
    )
    try:
        async with asyncio.timeout(TIMEOUT_S):
            told, complaint = await process.communicate("\n".join(asked).encode())
    except TimeoutError as error:
        raise TrainerError(f"The thesaurus took longer than {TIMEOUT_S:g} s.") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        said = complaint.decode(errors="replace")[-MAX_ERROR_CHARS:].strip()
        raise TrainerError(f"The thesaurus of {model_dir} cannot be read: {said}")
    return dict(zip(asked, map(json.loads, told.splitlines()), strict=True))


def content_words(lesson: Lesson) -> set[str]:
    """The words of a lesson's question that another may stand for: none of its name's."""
    named = lesson.subject if lesson.kind != "workflow" else None
    subject = set(normalized(named or "").split())
    return {word for word in map(str.lower, keywords(lesson.question)) if word.isalpha()} - subject


def substituted(
    lesson: Lesson, forms: Sequence[Form], near: Near, taken: Collection[str], seed: str = ""
) -> list[Form]:
    """Wordings of the lesson with some of its words replaced by near ones.

    Args:
        lesson: What is asked.
        forms: Its wordings so far; trained questions are drawn from them.
        near: Near words of each word.
        taken: Words that are not put in, as another lesson about the same subject asks with them.
        seed: Another one gives other forms.

    Returns:
        At most `NUM_SUBSTITUTED` verified forms, none of which is among `forms`.
    """
    rng = random.Random(f"{seed}{lesson.question}")
    replaceable = {
        word: [other for other in near.get(word, ()) if other not in taken]
        for word in content_words(lesson)
    }
    drawn_from = [form for form in forms if form.split == "train" and form.kind == "question"]
    seen = {normalized(form.question) for form in forms}
    found: list[Form] = []
    for _ in range(NUM_SUBSTITUTED * DRAFTS_EACH if drawn_from else 0):
        form = rng.choice(drawn_from)
        question = re.sub(
            r"[^\W\d_]+", lambda match: _replacement(match[0], replaceable, rng), form.question
        )
        draft = Form(question, form.answer, "train")
        if normalized(question) in seen or not verify(draft, lesson):
            continue
        seen.add(normalized(question))
        found.append(draft)
        if len(found) == NUM_SUBSTITUTED:
            break
    return found


def _replacement(word: str, replaceable: Mapping[str, Sequence[str]], rng: random.Random) -> str:
    others = replaceable.get(word)
    return rng.choice(others) if others and rng.random() < SUBSTITUTION_RATE else word
