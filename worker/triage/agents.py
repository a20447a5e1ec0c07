"""Agent traces, read as what they are: tool calls, results, errors, retries, the path that worked.

An agent that has ended shows its whole way in one request. What failed on the way is
noise. A way that worked in several sessions for the same kind of task is a workflow, also where
these are nights apart.
"""

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from shared.contracts.memories import Evidence
from shared.contracts.traces import Trace, content_text
from worker.lessons.language import STOPWORDS, WORD, stem
from worker.screens.patterns import why_unfit

MIN_SESSIONS = 2
MIN_STEPS = 2
MIN_SHARED_WORDS = 2
MAX_TASK_CHARS = 600
# What an index takes, with room to spare.
MAX_WAY_CHARS = 500
CREDENTIAL = re.compile(
    r"\b(?:pass(?:word|code|phrase)s?|secrets?|tokens?|credentials?|api[ _-]?keys?|log ?in|pin)\b",
    re.IGNORECASE,
)

# "error": null and "0 errors" say that nothing failed.
NO_ERROR = re.compile(
    r"\"?errors?\"?\s*[:=]\s*(?:null|none|false|0|\"\"|\[\]|\{\})"
    r"|\b(?:no|0|without) (?:\w+ )?errors?\b",
    re.IGNORECASE,
)
FAILED = re.compile(
    r"\b(?:errors?|exceptions?|traceback|failed|failure|fails|denied|forbidden|unauthorized|invalid"
    r"|timed? ?out|not found|no such|does not exist|(?:status|code)\D{0,3}[45]\d\d)\b"
    r"|\"(?:ok|success)\": ?false",
    re.IGNORECASE,
)
_NOT_THE_TASK = frozenset("please can could you would i want need like help me to the a an".split())


# What a workflow's question begins with; its task follows.
_ASKED = "What are the steps to "


@dataclass(frozen=True)
class Step:
    """One tool call and whether its result says that it failed."""

    tool: str
    failed: bool


@dataclass(frozen=True)
class Workflow:
    """A way that worked more than once.

    Attributes:
        task: The words that its requests share, in order.
        tools: The calls that worked, in order.
    """

    task: str
    tools: tuple[str, ...]
    evidence: tuple[Evidence, ...]

    @property
    def question(self) -> str:
        """What it answers."""
        return f"{_ASKED}{self.task}?"

    @property
    def way(self) -> str:
        """The calls, as they are said."""
        return _said(self.tools)


def steps_of(trace: Trace) -> list[Step]:
    """The tool calls since the last user message, with how they ended."""
    steps: dict[str, Step] = {}
    for message in trace.messages:
        if message.get("role") == "user":
            steps = {}
        for number, call in enumerate(_calls(message)):
            name = (call.get("function") or {}).get("name")
            if isinstance(name, str) and name:
                steps[str(call.get("id") or f"{len(steps)}-{number}")] = Step(name, failed=True)
        if message.get("role") == "tool":
            known = steps.get(str(message.get("tool_call_id")))
            if known is not None:
                text = content_text(message.get("content")) or json.dumps(message.get("content"))
                failed = FAILED.search(NO_ERROR.sub("", text)) is not None
                steps[str(message["tool_call_id"])] = Step(known.tool, failed)
    return list(steps.values())


def why_discarded(steps: Sequence[Step]) -> str:
    """What an agent's trace was, where nothing is learned from it alone."""
    failed = sum(step.failed for step in steps)
    return (
        f"an agent's way: {len(steps)} tool calls, {failed} of them failed; learned only once it "
        f"worked in {MIN_SESSIONS} sessions"
    )


def workflows(traces: Sequence[Trace], disliked: set[UUID]) -> list[Workflow]:
    """The ways that worked in several sessions for the same kind of task.

    Args:
        traces: A batch with its context, oldest first.
        disliked: Traces that somebody rated down; they are never imitated.
    """
    by_way: defaultdict[tuple[str, ...], list[Trace]] = defaultdict(list)
    for trace in traces:
        if not _may_be_learned(trace.user_text):
            continue
        way = _way(trace)
        if len(way) >= MIN_STEPS and trace.id not in disliked:
            by_way[way].append(trace)
    found = []
    for way, ended in by_way.items():
        for task, alike in _by_task(ended):
            if len({trace.session for trace in alike}) >= MIN_SESSIONS:
                evidence = tuple(
                    Evidence(
                        trace_id=t.id,
                        quote=t.user_text,
                        author=t.author,
                        by_teacher=t.by_teacher,
                    )
                    for t in alike
                )
                found.append(Workflow(" ".join(task), way, evidence))
    return found


def task_of(question: str) -> str | None:
    """The task in a workflow's question; None where it is no such question."""
    return question.removeprefix(_ASKED).rstrip("?") if question.startswith(_ASKED) else None


def way_of(trace: Trace) -> str | None:
    """The path that worked, as a night writes it down for later ones; None where there is none."""
    tools = _way(trace)
    way = _said(tools)
    return way if len(tools) >= MIN_STEPS and len(way) <= MAX_WAY_CHARS else None


def _said(tools: Sequence[str]) -> str:
    return ", then ".join(tools)


def _by_task(traces: Sequence[Trace]) -> list[tuple[list[str], list[Trace]]]:
    """The words that requests share, and whose: the same tools may serve several kinds of task."""
    groups: list[tuple[list[str], list[Trace]]] = []
    for trace in traces:
        stems = {stem(word.lower()) for word in WORD.findall(trace.user_text)}
        for number, (task, alike) in enumerate(groups):
            shared = [word for word in task if stem(word) in stems]
            if len(shared) >= MIN_SHARED_WORDS:
                alike.append(trace)
                groups[number] = (shared, alike)
                break
        else:
            groups.append((_task_words(trace.user_text), [trace]))
    return groups


def _may_be_learned(task: str) -> bool:
    """Not a task with a secret in it: a request may name one without saying so."""
    if len(task) > MAX_TASK_CHARS or CREDENTIAL.search(task) is not None:
        return False
    return why_unfit(task) is None


def _calls(message: dict[str, Any]) -> list[dict[str, Any]]:
    calls = message.get("tool_calls") if message.get("role") == "assistant" else None
    return [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []


def _way(trace: Trace) -> tuple[str, ...]:
    """The calls that worked, retries once; empty for an agent that is not done."""
    choice = ((trace.reply or {}).get("choices") or [{}])[0]
    if _calls({**(choice.get("message") or {}), "role": "assistant"}):
        return ()
    steps = steps_of(trace)
    offered = _offered(trace)
    if offered and any(step.tool not in offered for step in steps):
        # A history that the client made up.
        return ()
    # Small models end without a word, and then nothing else says whether the last call mattered.
    is_silent = not trace.reply_text.strip()
    if is_silent and (choice.get("finish_reason") != "stop" or (steps and steps[-1].failed)):
        return ()
    worked = [step.tool for step in steps if not step.failed]
    return tuple(tool for tool, _ in groupby(worked))


def _offered(trace: Trace) -> set[object]:
    """The tools that a request offers, by OpenAI's shape or Anthropic's."""
    tools = trace.request.get("tools")
    named = [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    return {(tool.get("function") or tool).get("name") for tool in named}


def _task_words(text: str) -> list[str]:
    """The words of a request, in order, without names of things and numbers."""
    return [
        word
        for word in map(str.lower, WORD.findall(text))
        if not re.search(r"\d", word)
        and word not in _NOT_THE_TASK
        and (word not in STOPWORDS or word in ("for", "from", "of", "in", "on"))
    ]
