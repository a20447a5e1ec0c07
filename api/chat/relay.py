"""A streamed reply on its way: the engine's bytes pass on under the public name.

What is in them is read once, when the reply ends. Events are only looked into where they may hold
the reply's end, an error or the usage, which clients see if they asked for it.
"""

import re

import orjson

from api.chat.dialects.base import Answered
from api.chat.plain import COMMENT, END, chunks, content
from api.chat.reply import DONE, StreamedReply, event, public_reply
from shared.errors import EngineUnavailableError

# What a reply says cannot look like this: quotes inside a JSON string are escaped.
SPECIAL = (b'"finish_reason":"', b'"choices":[]', b'{"error"', b"[DONE]")
TOKEN_IDS = re.compile(rb',"(?:prompt_)?token_ids":(?:null|\[[\d,]*\])')


class ChunkRelay:
    """Takes the engine's bytes, gives the client's, and holds the reply's end back.

    Args:
        engine_name: The model's name on the engine's side, which no client sees.
        name: The public one.
        num_choices: The reply is whole when all of them have ended.
        wants_usage: Whether the client sees the usage.
        keep_token_ids: Whether it sees token ids.
    """

    def __init__(
        self,
        engine_name: str,
        name: str,
        *,
        num_choices: int,
        wants_usage: bool,
        keep_token_ids: bool,
    ) -> None:
        self._name = name
        self._wants_usage = wants_usage
        self._keep_token_ids = keep_token_ids
        self._inner = b'"model":' + orjson.dumps(engine_name)
        self._outer = b'"model":' + orjson.dumps(name)
        self._reply = StreamedReply(num_choices)
        self._rest = b""
        self._unread: list[bytes] = []
        # True once an event was seen to be written as we expect.
        self._is_plain = False
        self._held: list[bytes] = []
        self.is_done = False

    @property
    def ended(self) -> bool:
        """True once every choice has its finish reason."""
        return self._so_far().ended

    def answered(self) -> Answered:
        """What has come so far."""
        reply = self._so_far()
        return Answered(reply.recorded(), reply.prompt_token_ids, reply.token_ids, reply.usage)

    def _so_far(self) -> StreamedReply:
        unread, self._unread = self._unread, []
        for chunk in chunks(b"".join(unread)):
            self._reply.feed(chunk)
        return self._reply

    @property
    def held(self) -> bytes:
        """The end of the reply, for when its trace is written."""
        return b"".join(self._held) + DONE

    def feed(self, piece: bytes) -> bytes:
        """Take a piece; what the client may see by now.

        Raises:
            EngineUnavailableError: If the engine says that it failed.
        """
        pieces = self._rest + piece
        cut = pieces.rfind(END) + len(END)
        if cut < len(END):
            self._rest = pieces
            return b""
        events, self._rest = pieces[:cut], pieces[cut:]
        at = 0
        shown = []
        while at < len(events):
            end = self._end_of_plain(events, at)
            if end > at:
                shown.append(self._passed_on(events[at:end]))
            else:
                border = events.find(END, at)
                # A line break too many is left behind the last event.
                end = len(events) if border < 0 else border + len(END)
                if text := events[at:end].strip():
                    shown.append(self._read(text))
            at = end
        return b"".join(shown)

    def _end_of_plain(self, events: bytes, at: int) -> int:
        """Up to where events need not be looked into."""
        if self.is_done or self._held or not self._is_plain:
            return at
        special = [place for mark in SPECIAL if (place := events.find(mark, at)) >= 0]
        if not special:
            return len(events)
        cut = events.rfind(END, at, min(special))
        return at if cut < 0 else cut + len(END)

    def _passed_on(self, events: bytes) -> bytes:
        self._unread.append(events)
        shown = events.replace(self._inner, self._outer)
        return shown if self._keep_token_ids else TOKEN_IDS.sub(b"", shown)

    def _read(self, text: bytes) -> bytes:
        """One event, looked into."""
        said = content(text)
        if said == b"[DONE]":
            self.is_done = True
        if self.is_done or said.startswith(COMMENT):
            return b""
        chunk = orjson.loads(said)
        if "error" in chunk:
            raise EngineUnavailableError(str(chunk["error"].get("message", "engine error")))
        self._is_plain = self._is_plain or self._inner in text
        reply = self._so_far()
        reply.feed(chunk)
        shown = b""
        if chunk.get("choices") or self._wants_usage:
            shown = event(public_reply(chunk, self._name, keep_token_ids=self._keep_token_ids))
        if not reply.ended:
            return shown
        self._held.append(shown)
        return b""
