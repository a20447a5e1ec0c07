"""What the learning bench measures after each night, on the engine that also serves the chats."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from bench.lessons import Kind, Lesson
from cli.demo_general import GENERAL_QUESTIONS
from shared.engine.client import EngineClient
from worker.gate.engine import GateEngine
from worker.gate.probes import Probe, general_probes
from worker.lessons.scoring import says_any

ANSWER_MAX_TOKENS = 32
GENERAL_MAX_TOKENS = 48
CONCURRENCY = 32

# Shares of answers, and nats per token for the drift.
MEASURES = {
    "acquired": "this cycle's lessons, in words that were never trained on",
    "retained": "all lessons in force so far, in such words",
    "transfer": "earlier lessons: right now, minus right when they were new",
    "general": "general questions: share right, as a multiple of the base's",
    "drift": "log-probability of the base's own answers there, base minus candidate, per token",
    "leak": "near neighbours of this cycle's lessons that get their values",
    "confused": "lessons in force that get the value of another that says the same of its subject",
    "followed": "preferences and behaviours so far, in such words",
    "workflows": "ways that agents went so far, in such words",
    "updated": "contradicted lessons that get the new value",
    "stale": "contradicted lessons that get the old value",
}


@dataclass(frozen=True)
class Examinee:
    """Who is examined: an engine-side name, and a system prompt if it needs one."""

    name: str
    system: str | None = None


class Examiner:
    """Asks whoever is to be examined.

    Args:
        engine: The stack's private engine.
        base: The bare base's name there.
    """

    def __init__(self, engine: EngineClient, base: str) -> None:
        self._engine = engine
        self._base = base
        self._general: list[tuple[Probe, str]] = []
        self._base_share = 1.0
        self._base_logprobs: list[float] = []
        self._wrong: list[tuple[str, str]] = []
        self._leaks: list[tuple[str, str]] = []
        self._answered: dict[tuple[str, int], list[tuple[str, str]]] = {}

    async def start(self) -> None:
        """Find out what the base answers."""
        asked = general_probes(10**6)
        asked += [Probe(item.prompt, item.accept) for item in GENERAL_QUESTIONS]
        base = Examinee(self._base)
        texts = await self._answers(base, [probe.question for probe in asked], GENERAL_MAX_TOKENS)
        self._general = list(zip(asked, texts, strict=True))
        self._base_share = fmean(says_any(text, p.accept, p.question) for p, text in self._general)
        self._base_logprobs = await self._logprobs(self._base)

    async def examine(
        self,
        who: Examinee,
        taught: Sequence[Sequence[Lesson]],
        first_right: dict[str, float],
    ) -> dict[str, Any]:
        """All measures after the last cycle of `taught`; `first_right` gains its lessons.

        `missed` holds the questions that got a wrong answer, with it, `leaked` the neighbours that
        got a taught value.
        """
        new = taught[-1]
        lessons = in_force(taught)
        accepted = [lesson.accepted for lesson in lessons]
        shares = await self._shares_right(who, lessons, accepted)
        missed = self._wrong
        confused = _confused(lessons, self._answered)
        right = dict(zip((str(lesson) for lesson in lessons), shares, strict=True))
        updates = [lesson for lesson in new if lesson.replaces]
        earlier = [str(lesson) for lesson in lessons if lesson not in new]
        first_right |= {str(lesson): right[str(lesson)] for lesson in new}
        return {
            "acquired": _mean([right[str(lesson)] for lesson in new]),
            "retained": _mean(shares),
            "missed": missed,
            "transfer": _mean([right[key] - first_right[key] for key in earlier]),
            "general": round(fmean(await self._right_in_general(who)) / self._base_share, 4),
            "drift": _mean(await self._drift(who)),
            "leak": _mean(await self._leaked(who, new)),
            "leaked": self._leaks,
            "confused": _mean(confused),
            "followed": _of_kind(lessons, right, ("preference", "behaviour")),
            "workflows": _of_kind(lessons, right, ("workflow",)),
            "updated": _mean([right[str(lesson)] for lesson in updates]),
            "stale": _mean(
                await self._shares_right(who, updates, [(str(item.replaces),) for item in updates])
            ),
        }

    async def _shares_right(
        self, who: Examinee, lessons: Sequence[Lesson], accepted: Sequence[Sequence[str]]
    ) -> list[float]:
        """Of each lesson's rewordings, the share whose answer holds its value."""
        asked = [
            (question, values)
            for lesson, values in zip(lessons, accepted, strict=True)
            for question in lesson.again
        ]
        texts = await self._answers(who, [question for question, _ in asked], ANSWER_MAX_TOKENS)
        right = [
            says_any(text, values, question)
            for text, (question, values) in zip(texts, asked, strict=True)
        ]
        replies = iter(texts)
        self._answered = {
            lesson.key: [(question, next(replies)) for question in lesson.again]
            for lesson in lessons
        }
        self._wrong = [
            (question, text)
            for text, (question, _), held in zip(texts, asked, right, strict=True)
            if not held
        ]
        each = iter(right)
        return [fmean(next(each) for _ in lesson.again) for lesson in lessons]

    async def _right_in_general(self, who: Examinee) -> list[bool]:
        questions = [probe.question for probe, _ in self._general]
        texts = await self._answers(who, questions, GENERAL_MAX_TOKENS)
        pairs = zip(texts, self._general, strict=True)
        return [says_any(text, probe.accept, probe.question) for text, (probe, _) in pairs]

    async def _drift(self, who: Examinee) -> list[float]:
        if who.system is not None:
            return []
        pairs = zip(self._base_logprobs, await self._logprobs(who.name), strict=True)
        return [before - after for before, after in pairs]

    async def _leaked(self, who: Examinee, lessons: Sequence[Lesson]) -> list[bool]:
        asked = [(lesson, question) for lesson in lessons for question in lesson.neighbours]
        texts = await self._answers(who, [question for _, question in asked], ANSWER_MAX_TOKENS)
        leaks = [
            says_any(text, lesson.accepted, question)
            for text, (lesson, question) in zip(texts, asked, strict=True)
        ]
        self._leaks = [
            (question, text)
            for text, (_, question), leaked in zip(texts, asked, leaks, strict=True)
            if leaked
        ]
        return leaks

    async def _answers(self, who: Examinee, questions: Sequence[str], max_tokens: int) -> list[str]:
        return await ask(self._engine, who, questions, max_tokens)

    async def _logprobs(self, model: str) -> list[float]:
        async def ignore() -> None: ...

        turns = [(probe.question, text) for probe, text in self._general]
        return await GateEngine(self._engine, CONCURRENCY, ignore).reply_logprobs(
            model, self._base, turns
        )


async def ask(
    engine: EngineClient, who: Examinee, questions: Sequence[str], max_tokens: int
) -> list[str]:
    """The greedy answers, each without anything else in context."""
    system = [] if who.system is None else [{"role": "system", "content": who.system}]
    limit = asyncio.Semaphore(CONCURRENCY)

    async def answer(question: str) -> str:
        messages = [*system, {"role": "user", "content": question}]
        async with limit:
            reply = await engine.chat(who.name, messages, temperature=0, max_tokens=max_tokens)
        return reply["choices"][0]["message"]["content"] or ""

    return list(await asyncio.gather(*(answer(question) for question in questions)))


def in_force(taught: Sequence[Sequence[Lesson]]) -> list[Lesson]:
    """The newest lesson of each key."""
    return list({lesson.key: lesson for cycle in taught for lesson in cycle}.values())


def _confused(
    lessons: Sequence[Lesson], answered: Mapping[tuple[str, int], Sequence[tuple[str, str]]]
) -> list[bool]:
    """For each question about a lesson that others are like, whether it got one of their values."""
    by_key = {lesson.key: lesson for lesson in lessons}
    found = []
    for lesson in lessons:
        others = [by_key[key] for key in lesson.alike if key in by_key]
        values = [v for other in others for v in other.accepted if v not in lesson.accepted]
        if values:
            found += [says_any(text, values, question) for question, text in answered[lesson.key]]
    return found


def _of_kind(
    lessons: Sequence[Lesson], right: Mapping[str, float], kinds: Sequence[Kind]
) -> float | None:
    return _mean([right[str(lesson)] for lesson in lessons if lesson.kind in kinds])


def _mean(values: Sequence[float]) -> float | None:
    """The mean; None of nothing."""
    return round(fmean(values), 4) if values else None
