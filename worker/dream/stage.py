"""Dream: prompts of the model's own with the beginnings of its answers, and texts of its own.

All are the bare base's: what it would say is held still, night after night, against the same
point. What earlier nights taught is rehearsed by replays.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from itertools import chain, zip_longest

from shared.contracts.adapters import Route
from shared.contracts.base import new_id
from shared.contracts.cycles import Lease
from shared.contracts.memories import Dream
from shared.engine.client import LOW_PRIORITY, EngineClient
from shared.storage.cycles import SleepCycleStore
from shared.storage.examples import ExampleStore
from worker.context import Context
from worker.control import CycleControl
from worker.dream.prompts import (
    ALIGNMENT_OPENERS,
    OPENERS,
    TEXT_OPENERS,
    free_prompts,
    opened_prompts,
    plain_texts,
    risky_prompts,
)
from worker.gate.probes import doubt_probes, general_probes, load
from worker.results import Dreamt
from worker.screens.patterns import why_unfit

# The trainer only looks at the beginning of a dream (`max_dream_targets`).
ANSWER_MAX_TOKENS = 16
# A decoding step costs little more for many answers than for few, and chats go first.
NUM_AT_ONCE = 24
# Some dreams are unusable: ask for more than are needed.
SPARE = 1.5
AGAIN_RATIO = 2 / 3
TEXT_RATIO = 0.3
ALIGNMENT_RATIO = 0.2


async def dream(context: Context, control: CycleControl, awake: Route) -> Dreamt:
    """Write `num_dreams` dreams, or as many as turned out usable.

    What the bare base dreamt in earlier nights is as good as new: two thirds are dreamt again.
    """
    again = await _again(context, control.lease)
    known = {prompt_of(item) for item in again}
    wanted = context.settings.num_dreams - len(again)
    write_texts = partial(plain_texts, context.engine, awake.base)
    texts = await _new(write_texts, len(TEXT_OPENERS), round(TEXT_RATIO * wanted), known)
    await control.report(0.1, f"{len(texts)} texts")
    ask = partial(risky_prompts, context.engine, awake.base)
    risky = await _new(ask, len(ALIGNMENT_OPENERS), round(ALIGNMENT_RATIO * wanted), known)
    wanted -= len(texts) + len(risky)
    free = await free_prompts(context.engine, awake.base, int(SPARE * wanted / 3))
    await control.report(0.15, f"{len(free)} free prompts")
    opened = await opened_prompts(
        context.engine, awake.base, 1 + int(SPARE * wanted * 2 / 3) // len(OPENERS)
    )
    await control.report(0.3, f"{len(free) + len(opened)} prompts")
    asked = [text for text in usable(free, opened) if text not in known]
    prompts = [*risky, *asked[:wanted]]
    limit = asyncio.Semaphore(NUM_AT_ONCE)
    num_done = 0

    async def answer(prompt: str) -> Dream | None:
        nonlocal num_done
        async with limit:
            text = await _answer(context.engine, awake.base, prompt)
        num_done += 1
        await control.report(0.3 + 0.7 * num_done / len(prompts), f"{num_done} dreams")
        if not text or why_unfit(text) is not None:
            return None
        messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": text}]
        return Dream(id=new_id(), messages=messages)

    found = await asyncio.gather(*(answer(prompt) for prompt in prompts))
    alone = [Dream(id=new_id(), messages=[{"role": "assistant", "content": t}]) for t in texts]
    dreams = [*again, *(item for item in found if item is not None), *alone]
    async with context.sessions.begin() as session:
        await SleepCycleStore(session).hold(control.lease)
        await ExampleStore(session).replace_dreams(control.lease.cycle_id, dreams)
    control.count(dreams=len(dreams))
    return Dreamt(num_dreams=len(dreams))


def usable(free: list[str], opened: list[str]) -> list[str]:
    """One free for two opened, each once, screened like traces, without the gate's questions."""
    asked = (*general_probes(10**6), *doubt_probes(10**6))
    probes = {probe.question.lower() for probe in asked}
    probes |= {item["prompt"].lower() for item in (*load("alignment"), *load("requests"))}
    both = (
        text for text in chain(*zip_longest(opened[::2], free, opened[1::2])) if text is not None
    )
    return [
        text
        for text in dict.fromkeys(both)
        if text.lower() not in probes and why_unfit(text) is None
    ]


async def _new(
    write: Callable[[int], Awaitable[list[str]]],
    num_openers: int,
    num_wanted: int,
    known: Collection[str],
) -> list[str]:
    """At most `num_wanted` usable drafts that are not known; `write` makes some of each opener."""
    if num_wanted == 0:
        return []
    drafts = await write(math.ceil(SPARE * num_wanted / num_openers))
    return [text for text in usable([], drafts) if text not in known][:num_wanted]


async def _again(context: Context, lease: Lease) -> list[Dream]:
    """Dreams of earlier nights, without what is screened, or asked by the gate, since then."""
    num_again = int(AGAIN_RATIO * context.settings.num_dreams)
    async with context.sessions.begin() as session:
        store = ExampleStore(session)
        drawn = await store.earlier_dreams(lease.model_id, lease.cycle_id, num_again)
    fit = set(usable([prompt_of(item) for item in drawn], []))
    return [item for item in drawn if prompt_of(item) in fit]


def prompt_of(item: Dream) -> str:
    """What a dream's user says; a text where there is no user."""
    prompt: str = item.messages[0]["content"]
    return prompt


async def _answer(engine: EngineClient, model: str, prompt: str) -> str:
    reply = await engine.chat(
        model,
        [{"role": "user", "content": prompt}],
        temperature=0,
        max_tokens=ANSWER_MAX_TOKENS,
        priority=LOW_PRIORITY,
    )
    return (reply["choices"][0]["message"]["content"] or "").strip()
