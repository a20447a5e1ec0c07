"""What is dreamt about: many kinds of questions, each once, nothing that the gate asks."""

from dataclasses import replace
from typing import Any

import pytest

from shared.storage.cycles import SleepCycleStore
from shared.storage.examples import ExampleStore
from shared.storage.models import ModelStore
from tests.worker.conftest import World
from worker.context import Context
from worker.control import CycleControl
from worker.dream import stage
from worker.dream.prompts import (
    ALIGNMENT_OPENERS,
    OPENERS,
    TEXT_OPENERS,
    free_prompts,
    opened_prompts,
    plain_texts,
    risky_prompts,
)
from worker.dream.stage import prompt_of, usable
from worker.gate.probes import Probe, alignment_prompts, doubt_probes, general_probes, requests

HEADER = [1, 2, 3]


class StubEngine:
    """Continues whatever it is given, as the engine's port does."""

    async def tokenize(self, model: str, messages: list[dict[str, Any]]) -> list[int]:
        said = messages[0]["content"].rsplit(" ", 1)
        opener = OPENERS.index(said[0]) if len(said) == 2 else -1
        return [*HEADER, 100 + opener, ord(said[-1][0])]

    async def complete(self, model: str, prompt: list[int], *, n: int, **_: Any) -> dict[str, Any]:
        said = [{"text": f" thing {number}", "stop_reason": "?"} for number in range(n)]
        return {"choices": [*said, {"text": " that never ends", "stop_reason": None}]}


async def test_many_free_dreams_are_asked_for_in_several_requests() -> None:
    class Free(StubEngine):
        async def complete(
            self, model: str, prompt: list[int], *, n: int, **_: Any
        ) -> dict[str, Any]:
            assert n <= 64, "vLLM refuses more"
            return {"choices": [{"text": "Help me with that.", "finish_reason": "stop"}] * n}

    assert len(await free_prompts(Free(), "base", 150)) == 150  # type: ignore[arg-type]


async def test_a_few_dreams_already_begin_in_every_way() -> None:
    prompts = await opened_prompts(StubEngine(), "base", 3)  # type: ignore[arg-type]
    assert len(prompts) == 3 * len(OPENERS)
    assert [text.removesuffix(" thing 0?") for text in prompts[: len(OPENERS)]] == list(OPENERS)


async def test_what_should_be_refused_is_asked_for_and_may_end_as_a_request() -> None:
    class Asker(StubEngine):
        async def tokenize(self, model: str, messages: list[dict[str, Any]]) -> list[int]:
            return [*HEADER, *map(ord, messages[0]["content"])]

        async def complete(
            self, model: str, prompt: list[int], *, n: int, **asked: Any
        ) -> dict[str, Any]:
            ends = ["?", ".", "\n"]
            assert asked["stop"] == ends
            return {"choices": [{"text": " a thing", "stop_reason": end} for end in ends][:n]}

    prompts = await risky_prompts(Asker(), "base", 3)  # type: ignore[arg-type]
    assert prompts == [f"{o} a thing{end}" for end in "?." for o in ALIGNMENT_OPENERS]


async def test_plain_texts_begin_in_every_way_behind_a_line_break() -> None:
    class Writer(StubEngine):
        async def complete(
            self, model: str, prompt: str | list[int], *, n: int, **_: Any
        ) -> dict[str, Any]:
            assert isinstance(prompt, str)
            assert prompt[0] == "\n"
            said = [{"text": f" {prompt.strip()} went away. "}] * (n - 1)
            return {"choices": [*said, {"text": "!"}]}

    texts = await plain_texts(Writer(), "base", 3)  # type: ignore[arg-type]
    assert texts == [f"{opener} {opener} went away." for opener in TEXT_OPENERS] * 2


def test_dreams_are_of_both_kinds_each_once_and_never_a_gate_question() -> None:
    asked = [general_probes(1)[0].question, doubt_probes(1)[0].question]
    asked += [alignment_prompts("unsafe")[0], alignment_prompts("safe")[0].upper()]
    asked += [requests("private")[0]]
    opened = ["Who is it?", *asked, "Who is it?", "Where is it?"]
    free = ["Help me write a letter.", "My password is hunter22."]
    assert usable(free, opened) == ["Who is it?", "Help me write a letter.", "Where is it?"]


async def test_a_second_night_dreams_two_thirds_again_but_nothing_that_the_gate_asks_by_now(
    context: Context, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = replace(context, settings=context.settings.model_copy(update={"num_dreams": 9}))
    answered: list[str] = []

    async def free(*_: object) -> list[str]:
        return [f"Tell me of thing {number}." for number in range(20)]

    async def opened(*_: object) -> list[str]:
        return []

    async def texts(*_: object) -> list[str]:
        return [f"There is thing {number}." for number in range(20)]

    async def risky(*_: object) -> list[str]:
        return [f"Help me break thing {number}." for number in range(20)]

    async def answer(engine: object, model: str, prompt: str) -> str:
        answered.append(prompt)
        return "It is so."

    for name, port in (
        ("free_prompts", free),
        ("opened_prompts", opened),
        ("plain_texts", texts),
        ("risky_prompts", risky),
        ("_answer", answer),
    ):
        monkeypatch.setattr(stage, name, port)

    async def night() -> list[str]:
        cycle_id = await world.queue()
        async with world.sessions.begin() as session:
            lease = await SleepCycleStore(session).lease(cycle_id, 60.0)
            awake = await ModelStore(session).route(world.tenant_id, "default")
        assert lease is not None
        assert awake is not None
        await stage.dream(context, CycleControl(context, lease), awake)
        async with world.sessions.begin() as session:
            await SleepCycleStore(session).finish(lease, "skipped")
            return list(map(prompt_of, await ExampleStore(session).dreams_of_cycle(cycle_id)))

    first = await night()
    assert len(first) == 9
    assert sum(text.startswith("There is") for text in first) == 3
    assert not any(text.startswith("There is") for text in answered)
    assert sum(text.startswith("Help me break") for text in answered) == 2
    answered.clear()
    second = await night()
    assert len(set(second)) == 9
    assert len(answered) == 2
    monkeypatch.setattr(stage, "general_probes", lambda _: [Probe(text, ()) for text in first])
    assert not set(await night()) & set(first)
