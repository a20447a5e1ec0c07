"""A streamed reply: passed on as it comes, its end held back until the trace is written."""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.chat.exchange import Exchange
from api.chat.recorder import TraceRecorder
from api.chat.reply import DONE, StreamedReply, event, public_reply
from shared.contracts.traces import Trace, TraceStatus
from shared.errors import DormouseError, EngineUnavailableError

log = logging.getLogger(__name__)


class ChatStream(StreamingResponse):
    """Server-sent events of one exchange.

    Args:
        exchange: What is known before the reply.
        upstream: The engine's open response.
        stack: Closes it, which stops the generation.
        recorder: Writes the trace.
    """

    def __init__(
        self,
        exchange: Exchange,
        upstream: aiohttp.ClientResponse,
        stack: AsyncExitStack,
        recorder: TraceRecorder,
    ) -> None:
        self._exchange = exchange
        self._upstream = upstream
        self._stack = stack
        self._recorder = recorder
        self._reply = StreamedReply(exchange.chat.n or 1)
        self._recorded = False
        super().__init__(
            self._events(),
            media_type="text/event-stream",
            headers={**exchange.headers, "Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events; whatever happens, the engine is told and the trace is written."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            if not self._recorded:
                self._recorder.record_late(self._trace("abandoned"))
            await self._stack.aclose()

    async def _events(self) -> AsyncIterator[bytes]:
        held: list[bytes] = []
        try:
            async for chunk in self._chunks():
                self._exchange.mark_first_token()
                if "error" in chunk:
                    raise EngineUnavailableError(str(chunk["error"].get("message", "engine error")))
                self._reply.feed(chunk)
                shown = self._shown(chunk)
                if self._reply.ended:
                    held += shown
                else:
                    for piece in shown:
                        yield piece
            if not self._reply.ended:
                raise EngineUnavailableError("The engine ended the stream before the reply's end.")
            await self._record(self._trace("complete"))
        except (DormouseError, aiohttp.ClientError, TimeoutError) as error:
            yield await self._fail(error)
            return
        for piece in held:
            yield piece
        yield DONE

    async def _chunks(self) -> AsyncIterator[dict[str, Any]]:
        """The engine's events, parsed, up to `[DONE]`."""
        buffer = b""
        async for piece in self._upstream.content.iter_any():
            *events, buffer = (buffer + piece).split(b"\n\n")
            for line in events:
                content = line.removeprefix(b"data:").strip()
                if content == b"[DONE]":
                    return
                if content:
                    yield json.loads(content)

    def _shown(self, chunk: dict[str, Any]) -> list[bytes]:
        chat = self._exchange.chat
        if not chunk.get("choices") and not chat.wants_usage:
            return []
        return [event(public_reply(chunk, chat.model, keep_token_ids=chat.return_token_ids))]

    async def _fail(self, error: Exception) -> bytes:
        """Record the broken reply and tell the client, whose stream ends without `[DONE]`."""
        log.warning("chat %s broke off: %s", self._exchange.id, error)
        known = (
            error
            if isinstance(error, DormouseError)
            else EngineUnavailableError(f"The engine stopped answering ({type(error).__name__}).")
        )
        try:
            await self._record(self._trace("failed", error=known.message))
        except DormouseError:
            log.exception("the trace of broken chat %s is lost", self._exchange.id)
        return event(known.envelope())

    async def _record(self, trace: Trace) -> None:
        self._recorded = True
        await self._recorder.record(trace)

    def _trace(self, status: TraceStatus, error: str | None = None) -> Trace:
        return self._exchange.trace(
            status,
            reply=self._reply.recorded(),
            prompt_token_ids=self._reply.prompt_token_ids,
            token_ids=self._reply.token_ids,
            usage=self._reply.usage,
            error=error,
        )
