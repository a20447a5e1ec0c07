"""What is said in the demo: questions asked in new sessions, a day of chats, a steady visitor."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.markup import escape

from cli.client import ChatReply, DormouseClient, Json
from cli.demo_data import LESSONS, ORDINARY_CHATS, DemoLesson
from cli.errors import ApiError

NUM_AT_ONCE = 8
MAX_TOKENS = 48
# The steady visitor asks little: training has the same two cores.
PROBE_INTERVAL_S = 5.0
PROBE_MAX_TOKENS = 4


@dataclass(frozen=True)
class Answer:
    """What was answered, by whom, and whether it was right."""

    question: str
    accept: tuple[str, ...]
    text: str
    adapter: str

    @property
    def right(self) -> bool:
        """True if the answer holds an accepted value."""
        flat = " ".join(self.text.lower().split())
        return any(value in flat for value in self.accept)


def say(
    client: DormouseClient, messages: list[Json], *, store: bool = True, **options: Any
) -> ChatReply:
    """One greedy answer; `store` tells whether it may be learned from."""
    reply = ChatReply()
    wanted = {"temperature": 0, "max_tokens": MAX_TOKENS, "store": store, **options}
    for _ in client.chat(messages, reply=reply, **wanted):
        pass
    return reply


def ask_all(
    client: DormouseClient, questions: Sequence[tuple[str, tuple[str, ...]]]
) -> list[Answer]:
    """Ask each question in a session of its own, nothing in context, not to be learned from."""

    def ask(question: tuple[str, tuple[str, ...]]) -> Answer:
        text, accept = question
        reply = say(client, [{"role": "user", "content": text}], store=False)
        return Answer(text, accept, reply.text, reply.adapter)

    with ThreadPoolExecutor(NUM_AT_ONCE) as pool:
        return list(pool.map(ask, questions))


def spend_the_day(client: DormouseClient, console: Console) -> None:
    """Have every conversation of the day; each person talks in order, several at once."""
    with ThreadPoolExecutor(NUM_AT_ONCE) as pool:
        taught = pool.map(lambda lesson: _teach(client, lesson), LESSONS)
        ordinary = pool.map(lambda turns: _chat(client, turns), ORDINARY_CHATS)
        for lesson, reply in zip(LESSONS, taught, strict=True):
            how = "feedback" if lesson.via == "feedback" else "next turn"
            console.print(f"  [bold]{escape(lesson.ask)}[/]")
            console.print(f"    [dim]{escape(' '.join(reply.text.split())[:90])}[/]")
            console.print(f"    [cyan]{how}:[/] {escape(lesson.correction)}")
        num_turns = sum(ordinary)
    console.print(f"  [dim]and {num_turns} turns of ordinary chat[/]")


def _teach(client: DormouseClient, lesson: DemoLesson) -> ChatReply:
    messages: list[Json] = [{"role": "user", "content": lesson.ask}]
    reply = say(client, messages)
    if lesson.via == "feedback":
        client.give_feedback(reply.trace, rating=-1, correction=lesson.correction)
        return reply
    messages.append({"role": "assistant", "content": reply.text})
    messages.append({"role": "user", "content": lesson.correction})
    say(client, messages)
    return reply


def _chat(client: DormouseClient, turns: Sequence[str]) -> int:
    messages: list[Json] = []
    for turn in turns:
        messages.append({"role": "user", "content": turn})
        messages.append({"role": "assistant", "content": say(client, messages).text})
    return len(turns)


class Prober:
    """A visitor who asks all the time, while the model sleeps, is swapped and is rolled back.

    Args:
        client: Whom to ask.
    """

    def __init__(self, client: DormouseClient) -> None:
        self._client = client
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask_for_ever, daemon=True)
        self.num_asked = 0
        self.num_failed = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _ask_for_ever(self) -> None:
        messages = [{"role": "user", "content": "Hello!"}]
        while not self._stop.wait(PROBE_INTERVAL_S):
            self.num_asked += 1
            reply = ChatReply()
            try:
                for _ in self._client.chat(
                    messages, reply=reply, max_tokens=PROBE_MAX_TOKENS, store=False
                ):
                    pass
            except ApiError:
                self.num_failed += 1
