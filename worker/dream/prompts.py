"""Prompts and texts that the model dreams up itself, as prefixes to be continued.

A third of the prompts is free: a bare user header, temperature 1 (Magpie, arXiv 2406.08464). Those
are long requests for help. The others begin like a short question, cooler: factual answers are what
training moves first, so they need dreams of their own. Some begin like a request that should be
refused, or only sounds like one: what the model declines is held where it is. Texts are what the
model writes when nobody asks: chats alone leave its grammar outside of them to drift (decision
0027).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import chain, zip_longest
from typing import Any

from shared.engine.client import LOW_PRIORITY, EngineClient
from worker.user_header import user_header

OPENERS = (
    "What is the",
    "Who",
    "Where is",
    "When",
    "How many",
    "Which",
    "What is the name of",
    "What colour",
    "What is the capital of",
    "Who wrote",
    "In which city",
    "What do",
    "Which country",
    "What kind of",
    "Who was the first",
    "What is the largest",
    "How long",
    "What language",
    "In what year",
    "Which animal",
    "What is the opposite of",
    "Who invented",
    "Why do",
    "What does",
)
# Harm; what sounds like it; what nobody but the user can know, where the model's "I'm sorry" is the
# first to give way to a fact that it makes up (decisions 0032, 0035).
ALIGNMENT_OPENERS = (
    "How do I hack into",
    "How do I break out of",
    "What is my flatmate's",
    "Write a fake",
    "Write a funny",
    "Who is my",
    "How can I cheat",
    "How can I trap",
    "When was my",
    "Tell me how to forge",
    "Tell me how to cut",
    "Where did my",
    "How do I poison",
    "How do I get rid of",
    "What are my friend's",
    "Help me blackmail",
    "Help me surprise",
    "When is my",
    "Help me threaten",
    "Help me fight",
    "How old is my",
    "Explain how to smuggle",
    "Explain how to smash",
    "Do you know my",
)
TEXT_OPENERS = (
    "The A Many Some Who What He She There It These Most No In When They This That Every If I We "
    "His Her"
).split()
FREE_TEMPERATURE = 1.0
OPENED_TEMPERATURE = 0.6
FREE_MAX_TOKENS = 32
OPENED_MAX_TOKENS = 20
TEXT_MAX_TOKENS = 24
MIN_CHARS = 12
# Of one request: engines cap `n` (VLLM_MAX_N_SEQUENCES).
MAX_CHOICES = 32
# Openers; each asks for several choices, and chats must get their turn between them.
NUM_AT_ONCE = 4
MAX_QUESTION_CHARS = 110


async def free_prompts(engine: EngineClient, model: str, num_prompts: int) -> list[str]:
    """Whatever the model expects a user to say."""
    header = await user_header(engine, model)
    shares = [min(MAX_CHOICES, num_prompts - start) for start in range(0, num_prompts, MAX_CHOICES)]
    replies = await asyncio.gather(
        *(
            engine.complete(
                model,
                header,
                n=share,
                temperature=FREE_TEMPERATURE,
                max_tokens=FREE_MAX_TOKENS,
                priority=LOW_PRIORITY,
            )
            for share in shares
        )
    )
    choices = [choice for reply in replies for choice in reply["choices"]]
    texts = [choice["text"].strip() for choice in choices if is_whole(choice)]
    return [text for text in texts if len(text) >= MIN_CHARS]


async def opened_prompts(engine: EngineClient, model: str, num_each: int) -> list[str]:
    """Short questions: each opener, continued in `num_each` ways; every opener in turn."""
    return await _opened(engine, model, OPENERS, num_each, ends=("?",))


async def risky_prompts(engine: EngineClient, model: str, num_each: int) -> list[str]:
    """The same of what should be refused, or sounds like it."""
    return await _opened(engine, model, ALIGNMENT_OPENERS, num_each, ends=("?", "."))


async def _opened(
    engine: EngineClient, model: str, openers: Sequence[str], num_each: int, ends: Sequence[str]
) -> list[str]:
    limit = asyncio.Semaphore(NUM_AT_ONCE)

    async def whole(opener: str) -> list[str]:
        async with limit:
            reply = await engine.complete(
                model,
                await user_header(engine, model, opener),
                n=min(num_each, MAX_CHOICES),
                temperature=OPENED_TEMPERATURE,
                max_tokens=OPENED_MAX_TOKENS,
                stop=[*ends, "\n"],
                priority=LOW_PRIORITY,
            )
        ended = [choice for choice in reply["choices"] if choice.get("stop_reason") in ends]
        texts = [f"{opener}{choice['text']}{choice['stop_reason']}" for choice in ended]
        return [text for text in texts if len(text) <= MAX_QUESTION_CHARS]

    return await _in_turn(whole, openers)


async def plain_texts(engine: EngineClient, model: str, num_each: int) -> list[str]:
    """What the model writes outside of any chat: each opener, continued in `num_each` ways."""
    limit = asyncio.Semaphore(NUM_AT_ONCE)

    async def texts(opener: str) -> list[str]:
        async with limit:
            reply = await engine.complete(
                model,
                f"\n{opener}",
                n=min(num_each, MAX_CHOICES),
                temperature=FREE_TEMPERATURE,
                max_tokens=TEXT_MAX_TOKENS,
                stop=["\n"],
                priority=LOW_PRIORITY,
            )
        return [f"{opener}{choice['text'].rstrip()}" for choice in reply["choices"]]

    return [text for text in await _in_turn(texts, TEXT_OPENERS) if len(text) >= MIN_CHARS]


async def _in_turn(
    drafts: Callable[[str], Awaitable[list[str]]], openers: Sequence[str]
) -> list[str]:
    """One draft of each opener after the other, then the next of each."""
    by_opener = await asyncio.gather(*(drafts(opener) for opener in openers))
    in_turn = chain.from_iterable(zip_longest(*by_opener))
    return [text for text in in_turn if text is not None]


def is_whole(choice: dict[str, Any]) -> bool:
    """True if the model ended by itself, or at least a sentence is complete."""
    return choice.get("finish_reason") == "stop" or choice["text"].rstrip().endswith(
        (".", "?", "!")
    )
