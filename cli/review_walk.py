"""A walk through what waits for a person: shows one memory after the other, and asks."""

from typing import Any

import typer
from rich.console import Console, RenderableType
from rich.markup import escape

from cli.client import DormouseClient
from cli.errors import ApiError
from cli.evidence_view import EvidenceReader, how_many_said_it
from cli.memory_view import short_id, taught
from cli.render import pairs

Json = dict[str, Any]

# What each kind of waiting means, and what ends it.
WHY_HELD = {
    "authors": (
        "too few have said it",
        "another author says it, a teacher says it, or you accept it",
    ),
    "person": (
        "its kind always needs a person, however many say it",
        "a teacher says it, or you accept it",
    ),
    "conflict": (
        "it contradicts what is in force",
        "you accept it, and it replaces the other; or more speaks for it",
    ),
    "rejected": (
        "a person turned the same down, or it was rolled back",
        "only your decision",
    ),
    "screen": (
        "a screen doubts it: a secret, personal data, an instruction, or harm",
        "only your decision; edit out what must not be taught",
    ),
    "language": (
        "no screen reads its language",
        "only the decision of somebody who reads it",
    ),
}
_QUESTION = "[a]ccept, [r]eject, [e]dit, [s]kip, [q]uit"
_DECISIONS = {"a": "accept", "r": "reject", "e": "edit"}
_WORDS = ("question", "answer", "value")


class ReviewWalk:
    """Walks through a queue, and counts what was decided.

    Args:
        client: The API.
        console: Where to show it.
    """

    def __init__(self, client: DormouseClient, console: Console) -> None:
        self._client = client
        self._console = console
        self._reader = EvidenceReader(client)
        self._num_decided = 0

    def run(self, queue: list[Json]) -> None:
        """Ask about each; Ctrl-C, the end of input and `q` leave, and what was decided stays."""
        try:
            for position, memory in enumerate(queue, 1):
                self._show(memory, f"{position} of {len(queue)}")
                if not self._ask(memory):
                    break
        except (typer.Abort, KeyboardInterrupt, EOFError):
            self._console.print()
        finally:
            waiting = len(queue) - self._num_decided
            self._console.print(f"{self._num_decided} decided, {waiting} still wait.")

    def _show(self, memory: Json, position: str) -> None:
        self._console.rule(f"{position}: {memory['kind']} {short_id(memory['id'])}", align="left")
        self._console.print(taught(memory))
        why, release = WHY_HELD.get(memory.get("held_for") or "", ("", ""))
        state = f"{memory['state']}: {why}" if why else str(memory["state"])
        rows = [
            ("value", escape(memory.get("value") or "")),
            ("state", state),
            ("released by", release),
            ("why", escape(memory.get("reason") or "")),
            ("language", escape(memory.get("language") or "")),
            ("said by", how_many_said_it(memory)),
        ]
        self._console.print(pairs(rows))
        self._section("Where it was said", self._reader.conversations(memory))
        self._section("Beside it", self._reader.rivals(memory))

    def _section(self, title: str, content: RenderableType | None) -> None:
        if content is not None:
            self._console.print(f"[bold]{title}[/]")
            self._console.print(content)

    def _ask(self, memory: Json) -> bool:
        """Ask until there is a decision; False if the walk ends."""
        while True:
            choice = _prompt(_QUESTION).lower()[:1]
            if choice in ("q", "s"):
                return choice == "s"
            if choice in _DECISIONS and self._try(memory, _DECISIONS[choice]):
                return True

    def _decide(self, memory: Json, decision: str) -> None:
        words = _new_words(memory) if decision == "edit" else {}
        if decision == "edit" and not words:
            raise ApiError("Nothing was changed: accept it as it is, or skip it.", status_code=400)
        reason = _prompt("reason", default=f"{decision}ed in review")
        decided = self._client.review(memory["id"], decision=decision, reason=reason, words=words)
        self._num_decided += 1
        self._console.print(f"It is {decided['state']} now.")

    def _try(self, memory: Json, decision: str) -> bool:
        """Decide; whether to go on with the next one: not where other words would do."""
        try:
            self._decide(memory, decision)
        except ApiError as error:
            if error.status_code not in (400, 404, 409):
                raise
            self._console.print(error.message, style="red", markup=False)
            return error.status_code != 400
        return True


def _new_words(memory: Json) -> dict[str, str]:
    """What a person writes instead; enter keeps what is there."""
    now = {name: str(memory.get(name) or "") for name in _WORDS}
    given = {name: _prompt(name, default=now[name]) for name in _WORDS}
    return {name: text for name, text in given.items() if text != now[name]}


def _prompt(text: str, default: str | None = None) -> str:
    answer: str = typer.prompt(text, default=default)
    return answer.strip()
