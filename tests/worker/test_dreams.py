"""What is dreamt about: many kinds of questions, each once, nothing that the gate asks."""

from typing import Any
from uuid import uuid4

from shared.contracts.memories import Dream
from worker.dream.prompts import OPENERS, free_prompts, opened_prompts
from worker.dream.stage import still_usable, usable
from worker.gate.suites import general_probes

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


def test_dreams_are_of_both_kinds_each_once_and_never_a_gate_question() -> None:
    probe = general_probes(1)[0].question
    opened = ["Who is it?", probe, "Who is it?", "Where is it?"]
    free = ["Help me write a letter.", "My password is hunter22."]
    assert usable(free, opened) == ["Who is it?", "Help me write a letter.", "Where is it?"]


def test_an_earlier_dream_that_the_gate_asks_by_now_is_not_dreamt_again() -> None:
    asked = ["Who is it?", general_probes(1)[0].question, "My password is hunter22."]
    said = {"role": "assistant", "content": "I say so."}
    dreams = [Dream(id=uuid4(), messages=[{"role": "user", "content": q}, said]) for q in asked]
    assert still_usable(dreams) == dreams[:1]
