"""Streams of named events, as Anthropic's messages and OpenAI's responses have them."""

from collections.abc import Callable
from typing import Any, Protocol

import orjson

from api.chat.dialects.base import Answered

END = b"\n\n"


class Collector(Protocol):
    """Puts a reply together from its events.

    Attributes:
        ended: True from the first event that says how the reply ends.
        is_done: True once nothing more comes.
    """

    ended: bool
    is_done: bool

    def feed(self, event: dict[str, Any]) -> None:
        """Take one event.

        Raises:
            EngineUnavailableError: If it says that the engine failed.
        """
        ...

    def answered(self) -> Answered:
        """What has come so far."""
        ...


class EventRelay:
    """Passes events on, and holds those back that end the reply.

    Args:
        collector: Keeps what they say.
        shown: An event as the client sees it.
    """

    def __init__(
        self, collector: Collector, shown: Callable[[dict[str, Any]], dict[str, Any]]
    ) -> None:
        self._collector = collector
        self._shown = shown
        self._rest = b""
        self._held: list[bytes] = []
        self.is_done = False

    @property
    def held(self) -> bytes:
        """The events that end the reply."""
        return b"".join(self._held)

    @property
    def ended(self) -> bool:
        """True once it is known how the reply ends."""
        return self._collector.ended

    def answered(self) -> Answered:
        """What has come so far."""
        return self._collector.answered()

    def feed(self, piece: bytes) -> bytes:
        """Take a piece; what the client may see by now."""
        *events, self._rest = (self._rest + piece).split(END)
        shown = b""
        for text in events:
            content = _data(text)
            if content is None or self.is_done:
                continue
            self._collector.feed(content)
            passed = named_event(self._shown(content))
            if self._collector.ended:
                self._held.append(passed)
            else:
                shown += passed
            self.is_done = self._collector.is_done
        return shown


def named_event(content: dict[str, Any]) -> bytes:
    """One server-sent event, named by its `type`."""
    return b"event: %s\ndata: %s\n\n" % (content["type"].encode(), orjson.dumps(content))


def _data(text: bytes) -> dict[str, Any] | None:
    """What an event says; None for a comment or the end mark of other streams."""
    for line in text.splitlines():
        if line.startswith(b"data:"):
            content = line.removeprefix(b"data:").strip()
            found = None if content == b"[DONE]" else orjson.loads(content)
            return found if isinstance(found, dict) and "type" in found else None
    return None
