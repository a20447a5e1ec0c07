"""Dream: the model dreams up prompts itself and answers them as it is before training.

Prompts are sampled from a bare user header at temperature 1 (Magpie, arXiv 2406.08464). They come
from the base, which dreams as well and faster; the answers come from whoever is awake.
"""

import asyncio
from typing import Any

from shared.contracts.adapters import Route
from shared.contracts.base import new_id
from shared.contracts.memories import Dream
from shared.engine.client import EngineClient
from shared.storage.examples import ExampleStore
from worker.context import Context
from worker.control import CycleControl
from worker.results import Dreamt
from worker.triage.screen import why_unfit

PROMPT_MAX_TOKENS = 48
ANSWER_MAX_TOKENS = 64
MIN_PROMPT_CHARS = 12
# Some dreams are unusable: ask for more than are needed.
SPARE = 1.5
LOW_PRIORITY = 10


async def dream(context: Context, control: CycleControl, awake: Route) -> Dreamt:
    """Write `num_dreams` dreams, or as many as turned out usable."""
    wanted = context.settings.num_dreams
    prompts = await _dream_prompts(context.engine, awake.base, int(wanted * SPARE))
    await control.report(0.3, f"{len(prompts)} prompts dreamt")
    dreams: list[Dream] = []
    limit = asyncio.Semaphore(context.settings.gate_concurrency)

    async def answer(prompt: str) -> None:
        async with limit:
            text = await _answer(context.engine, awake.engine_name, prompt)
        if text and why_unfit(text) is None:
            messages = [_message("user", prompt), _message("assistant", text)]
            dreams.append(Dream(id=new_id(), messages=messages))
            await control.report(0.3 + 0.7 * len(dreams) / wanted, f"{len(dreams)} dreams")

    await asyncio.gather(*(answer(prompt) for prompt in prompts[:wanted]))
    async with context.sessions.begin() as session:
        await ExampleStore(session).replace_dreams(control.lease.cycle_id, dreams)
    control.count(dreams=len(dreams))
    return Dreamt(num_dreams=len(dreams))


async def _dream_prompts(engine: EngineClient, model: str, num_prompts: int) -> list[str]:
    """Usable prompts, each once, screened like traces."""
    header = await user_header(engine, model)
    reply = await engine.complete(
        model,
        header,
        n=num_prompts,
        temperature=1.0,
        max_tokens=PROMPT_MAX_TOKENS,
        priority=LOW_PRIORITY,
    )
    texts = [choice["text"].strip() for choice in reply["choices"] if is_whole(choice)]
    usable = [text for text in texts if len(text) >= MIN_PROMPT_CHARS and why_unfit(text) is None]
    return list(dict.fromkeys(usable))


def is_whole(choice: dict[str, Any]) -> bool:
    """True if the model ended by itself, or at least a sentence is complete."""
    return choice.get("finish_reason") == "stop" or choice["text"].rstrip().endswith(
        (".", "?", "!")
    )


async def user_header(engine: EngineClient, model: str) -> list[int]:
    """The tokens that every conversation begins with, up to the user's first word.

    Found by rendering two conversations with the model's own template: what both share.
    """
    first = await engine.tokenize(model, [_message("user", "Apple"), _message("assistant", "A")])
    second = await engine.tokenize(model, [_message("user", "Zebra"), _message("assistant", "A")])
    shared = 0
    while first[shared] == second[shared]:
        shared += 1
    return first[:shared]


async def _answer(engine: EngineClient, model: str, prompt: str) -> str:
    reply = await engine.chat(
        model,
        [_message("user", prompt)],
        temperature=0,
        max_tokens=ANSWER_MAX_TOKENS,
        priority=LOW_PRIORITY,
    )
    return (reply["choices"][0]["message"]["content"] or "").strip()


def _message(role: str, content: str) -> dict[str, Any]:
    return {"role": role, "content": content}
