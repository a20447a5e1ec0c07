"""Ask the engine what the suites need, at low priority, a few at a time."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from statistics import fmean
from typing import Any, TypeVar

from shared.engine.client import LOW_PRIORITY, EngineClient

T = TypeVar("T")


class GateEngine:
    """The engine as the gate uses it.

    Args:
        engine: The engine.
        concurrency: How many requests run at once.
        on_answer: Called after each, to show progress.
    """

    def __init__(
        self,
        engine: EngineClient,
        concurrency: int,
        on_answer: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        self._engine = engine
        self._limit = asyncio.Semaphore(concurrency)
        self._on_answer = on_answer

    async def answers(self, model: str, questions: Sequence[str], max_tokens: int) -> list[str]:
        """The greedy answers, in order."""
        return await self._all([self._answer(model, text, max_tokens) for text in questions])

    async def reply_logprobs(
        self, model: str, base: str, turns: Sequence[tuple[str, str]]
    ) -> list[float]:
        """The mean log-probability of each reply after its prompt, nats per token."""
        return await self._all([self._logprob(model, base, *turn) for turn in turns])

    async def _all(self, work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
        async def one(item: Coroutine[Any, Any, T]) -> T:
            async with self._limit:
                result = await item
            await self._on_answer()
            return result

        return list(await asyncio.gather(*(one(item) for item in work)))

    async def _answer(self, model: str, question: str, max_tokens: int) -> str:
        reply = await self._engine.chat(
            model,
            [{"role": "user", "content": question}],
            temperature=0,
            max_tokens=max_tokens,
            priority=LOW_PRIORITY,
        )
        return (reply["choices"][0]["message"]["content"] or "").strip()

    async def _logprob(self, model: str, base: str, prompt: str, reply: str) -> float:
        asked = [{"role": "user", "content": prompt}]
        said = [*asked, {"role": "assistant", "content": reply}]
        prompt_ids = await self._engine.tokenize(base, asked)
        token_ids = await self._engine.tokenize(base, said)
        values = await self._engine.logprobs(model, token_ids, priority=LOW_PRIORITY)
        return fmean(values[len(prompt_ids) - 1 :])
