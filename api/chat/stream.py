"""A streamed reply: passed on as it comes, its end held back until the trace is written."""

import logging
from collections.abc import AsyncIterator

import aiohttp
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.chat.exchange import Exchange
from api.chat.held import Held
from api.chat.leaving import unless_client_leaves
from api.chat.recorder import TraceRecorder
from shared.contracts.traces import Trace, TraceStatus
from shared.errors import DormouseError, EngineUnavailableError

# What an event of another shape than the engine's leads to.
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError)

log = logging.getLogger(__name__)


class ChatStream(StreamingResponse):
    """Server-sent events of one exchange.

    Args:
        exchange: What is known before the reply.
        upstream: The engine's open response.
        held: The chat's turn and generation; taken over, and given back at the end.
        recorder: Writes the trace.
    """

    def __init__(
        self,
        exchange: Exchange,
        upstream: aiohttp.ClientResponse,
        held: Held,
        recorder: TraceRecorder,
    ) -> None:
        self._exchange = exchange
        self._upstream = upstream
        self._recorder = recorder
        self._relay = exchange.asked.relay(exchange.route.engine_name)
        self._recorded = False
        super().__init__(
            self._events(),
            media_type="text/event-stream",
            headers={**exchange.headers, "Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
        )
        # Last: what was not taken over is given back by who had it.
        self._held = held.handed_on()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events; whatever happens, the engine is told and the trace is written."""
        try:
            await unless_client_leaves(receive, self.stream_response(send))
        finally:
            try:
                if not self._recorded:
                    self._recorder.record_late(self._trace("abandoned"))
            finally:
                self._held.close()

    async def _events(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._upstream.content.iter_any():
                self._exchange.mark_first_token()
                if shown := self._relay.feed(piece):
                    yield shown
                if self._relay.is_done:
                    break
            if not self._relay.ended:
                raise EngineUnavailableError("The engine ended the stream before the reply's end.")
            await self._record(self._trace("complete"))
        except (DormouseError, aiohttp.ClientError, TimeoutError, *UNREADABLE) as error:
            yield await self._fail(error)
            return
        yield self._relay.held

    async def _fail(self, error: Exception) -> bytes:
        """Record the broken reply and tell the client, whose stream ends without its end."""
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
        return self._exchange.asked.broken(known)

    async def _record(self, trace: Trace) -> None:
        self._recorded = True
        await self._recorder.record(trace)

    def _trace(self, status: TraceStatus, error: str | None = None) -> Trace:
        try:
            answered = self._relay.answered()
        except UNREADABLE:
            if status == "complete":
                raise
            # What was read before.
            answered = self._relay.answered()
        return self._exchange.trace(status, answered=answered, error=error)
