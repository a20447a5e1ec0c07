"""The ways to learn that the learning bench compares: what happens in a night."""

import asyncio
import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from bench.examiner import Examinee, in_force
from bench.lessons import NOISE, Lesson
from bench.report import console
from cli.client import ChatReply, DormouseClient
from cli.home import Home
from cli.sleep_view import follow_cycle
from cli.stack import LocalStack
from shared.engine.client import EngineClient
from worker.seed.forms import Lesson as SeedLesson
from worker.seed.forms import LessonKind
from worker.seed.thesaurus import Near, content_words, near_words
from worker.seed.wordings import wordings
from worker.triage.behaviours import rule_in

# The settings that differ from the defaults.
SERVED = {
    "ours": {},
    "no-dreams": {"DORMOUSE_TRAIN_RECIPE": '{"dreams_per_step": 0}'},
    "no-replay": {"DORMOUSE_TRAIN_RECIPE": '{"replays_per_step": 0}'},
    "no-contrast": {"DORMOUSE_TRAIN_RECIPE": '{"contrasts_per_step": 0}'},
    "no-passes": {"DORMOUSE_RECURRENT_PASSES": "0"},
}
PLAIN = ("plain", "rebuilt")
ARMS = (*SERVED, *PLAIN, "context")
CYCLE_TIMEOUT_S = 1800.0
CHAT_MAX_TOKENS = 24
NUM_THREADS = 2

Taught = Sequence[Sequence[Lesson]]


@dataclass(frozen=True)
class Night:
    """What a night led to; who answers is None when that is still the bare base."""

    answers: Examinee | None
    status: str
    reason: str = ""


class Arm(Protocol):
    """One way to learn."""

    async def night(self, taught: Taught) -> Night:
        """Learn the last cycle's lessons."""
        ...


class ServedArm:
    """Chats and feedback over HTTP, then a sleep cycle with its gate: as in production."""

    def __init__(self, stack: LocalStack) -> None:
        self._client = DormouseClient(stack.url, stack.api_key, stack.admin_key)

    async def night(self, taught: Taught) -> Night:
        """Teach among ordinary chat, sleep. Nothing else runs meanwhile, so it may block."""
        return self._night(taught[-1])

    def _night(self, lessons: Sequence[Lesson]) -> Night:
        # A run that was stopped in its night goes on with it: its day is over.
        begun = [c["id"] for c in self._client.cycles() if c["status"] in ("queued", "running")]
        if not begun:
            self._put_right(self._teach(lessons))
        cycle_id = begun[0] if begun else self._client.start_cycle(reason="bench.learning")["id"]
        ended = follow_cycle(
            lambda: self._client.cycle(cycle_id), console, timeout_s=CYCLE_TIMEOUT_S
        )
        names = [a["engine_name"] for a in self._client.adapters() if a["state"] == "active"]
        reason = (ended.get("gate") or {}).get("reason") or ended.get("error") or ""
        return Night(Examinee(names[0]) if names else None, ended["status"], reason)

    def _teach(self, lessons: Sequence[Lesson]) -> dict[str, Lesson]:
        """Say them all; each trace that a lesson was told of."""
        told = {}
        for lesson in lessons:
            if lesson.kind == "workflow":
                for request in lesson.requests:
                    self._reply(agents_way(request, lesson.value.split(", then ")))
                continue
            trace = self._say(lesson.ask).trace
            self._client.give_feedback(trace, rating=-1, correction=lesson.correction)
            told[trace] = lesson
        for turns in NOISE:
            self._say(*turns)
        return told

    def _put_right(self, told: Mapping[str, Lesson]) -> None:
        """What a reviewer does who has the right words: read, and edit before the night."""
        if not any(lesson.is_edited for lesson in told.values()):
            return
        cycle_id = self._client.start_cycle(reason="bench.learning", stop_after="resolve")["id"]
        follow_cycle(lambda: self._client.cycle(cycle_id), console, timeout_s=CYCLE_TIMEOUT_S)
        for memory in (
            *self._client.memories(state="pending"),
            *self._client.memories(state="held"),
        ):
            evidence = self._client.memory(memory["id"])["evidence"]
            meant = next((told[e["trace_id"]] for e in evidence if e["trace_id"] in told), None)
            if meant is None or not meant.is_edited:
                continue
            words = {"question": meant.ask, "answer": meant.correction, "value": meant.value}
            if meant.kind == "behaviour":
                words = {"answer": meant.value, "value": meant.value}
            self._client.review(
                memory["id"], decision="edit", reason="as it was meant", words=words
            )

    def _say(self, *turns: str) -> ChatReply:
        """A conversation; the last reply."""
        messages: list[dict[str, Any]] = []
        reply = ChatReply()
        for turn in turns:
            messages.append({"role": "user", "content": turn})
            reply = self._reply(messages)
            messages.append({"role": "assistant", "content": reply.text})
        return reply

    def _reply(self, messages: list[dict[str, Any]]) -> ChatReply:
        reply = ChatReply()
        for _ in self._client.chat(
            messages, reply=reply, temperature=0, max_tokens=CHAT_MAX_TOKENS
        ):
            pass
        return reply


class PlainArm:
    """Cross-entropy on the same wordings and nothing else, with the same trainer, without a gate.

    Args:
        engine: Where adapters are loaded.
        place: Where they are kept.
        carries_on: Train the new lessons on the adapter of the night before; otherwise all lessons
            in force from the base.
    """

    def __init__(self, engine: EngineClient, place: Path, *, carries_on: bool) -> None:
        self._engine = engine
        self._place = place
        self._carries_on = carries_on

    async def night(self, taught: Taught) -> Night:
        """Train and load."""
        number = len(taught)
        parent = self._place / f"adapter-{number - 1}"
        adapter = self._place / f"adapter-{number}"
        lessons = taught[-1] if self._carries_on else in_force(taught)
        model = str(Home.at(None, None).model)
        near = await near_words(model, words_of(lessons), NUM_THREADS)
        job = {
            "base_path": model,
            "output_dir": str(adapter),
            "parent_adapter_path": str(parent) if self._carries_on and number > 1 else None,
            "examples": [example for lesson in lessons for example in examples_of(lesson, near)],
        }
        await asyncio.to_thread(self._prepare, adapter, job)
        trainer = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "worker.trainer", str(self._place / "job.json")
        )
        if await trainer.wait():
            raise SystemExit(f"The trainer failed with status {trainer.returncode}.")
        # Engine-side names are never reused: a restarted engine may know the old one.
        name = f"{self._place.name}-{number}-{uuid4().hex[:8]}"
        await self._engine.load_adapter(name, str(adapter))
        return Night(Examinee(name), "trained")

    def _prepare(self, adapter: Path, job: dict[str, Any]) -> None:
        shutil.rmtree(adapter, ignore_errors=True)
        (self._place / "job.json").write_text(json.dumps(job))


class ContextArm:
    """No training: all lessons in force stand in the system prompt."""

    def __init__(self, base: str) -> None:
        self._base = base

    async def night(self, taught: Taught) -> Night:
        """Write the prompt."""
        told = " ".join(
            f"{lesson.ask} {lesson.correction}" if lesson.kind == "workflow" else lesson.correction
            for lesson in in_force(taught)
        )
        return Night(Examinee(self._base, f"You are a helpful assistant. You know: {told}"), "told")


def agents_way(request: str, tools: Sequence[str]) -> list[dict[str, Any]]:
    """What an agent has done for a request, up to its last answer; the first call failed once."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": request}]
    calls = [(tools[0], "Error: timed out."), *((tool, "Done.") for tool in tools)]
    for number, (tool, result) in enumerate(calls):
        function = {"name": tool, "arguments": "{}"}
        call = {"id": f"call-{number}", "type": "function", "function": function}
        messages += [
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "content": result, "tool_call_id": call["id"]},
        ]
    return messages


def words_of(lessons: Iterable[Lesson]) -> set[str]:
    """The words of their questions that others may stand for."""
    return set().union(*(content_words(_as_seeded(lesson)) for lesson in lessons))


def examples_of(lesson: Lesson, near: Near) -> list[dict[str, Any]]:
    """The wordings that the seed stage would train a lesson with, as the trainer's examples.

    Without those that the model writes itself, and without regard to other lessons about a name.
    """
    return [
        {
            "kind": "seed",
            "messages": [
                {"role": "user", "content": form.question},
                {"role": "assistant", "content": form.answer},
            ],
        }
        for form in wordings(_as_seeded(lesson), near)
        if form.split == "train"
    ]


def _as_seeded(lesson: Lesson) -> SeedLesson:
    rule = rule_in(lesson.correction)
    if rule is not None:
        return SeedLesson(rule.question, rule.sentence, rule.phrase, rule.topic, "behaviour")
    kind: LessonKind = "workflow" if lesson.kind == "workflow" else "fact"
    return SeedLesson(lesson.ask, lesson.correction, lesson.value, lesson.subject, kind)
