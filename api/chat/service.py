"""A chat: find who answers, pass it to the engine, record it, pass the reply back."""

import logging
from contextlib import closing
from typing import Any
from uuid import UUID

import aiohttp
import orjson
from fastapi import Request
from fastapi.responses import Response
from sqlalchemy.exc import SQLAlchemyError

from api.authors import author_of, name_in
from api.chat.admission import Admission
from api.chat.dialects.anthropic import CountRequest
from api.chat.dialects.base import Asked, Limits, for_engine, parse, without_reserved
from api.chat.dialects.responses import unknown_response
from api.chat.exchange import Exchange
from api.chat.held import Held
from api.chat.leaving import unless_client_leaves
from api.chat.pin import HEADER, pinned
from api.chat.recorder import TraceRecorder
from api.chat.reminders import asked_in, relevant
from api.chat.request import answered_prefix, read_body, thread_sha256
from api.chat.stream import ChatStream
from api.directory import Directory
from api.engines import EnginePool
from shared.contracts.adapters import Route
from shared.contracts.base import new_id
from shared.contracts.keys import Caller
from shared.contracts.memories import Memory
from shared.contracts.traces import Trace
from shared.engine.client import whole_reply
from shared.errors import (
    BadRequestError,
    DormouseError,
    EngineRejectedError,
    TooManyChatsError,
)
from shared.settings import Settings
from shared.storage.memories import MemoryStore
from shared.storage.traces import TraceStore

MAX_SESSION_LENGTH = 200
CLIENT_LEFT = 499

log = logging.getLogger(__name__)


class ChatService:
    """Answers chats.

    Args:
        settings: Limits.
        directory: Who answers on a name.
        engines: Where replies come from.
        recorder: Writes traces.
    """

    def __init__(
        self,
        settings: Settings,
        directory: Directory,
        engines: EnginePool,
        recorder: TraceRecorder,
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._engines = engines
        self._recorder = recorder
        self._admission = Admission(settings)
        self._limits = Limits(settings.max_choices, settings.max_completion_tokens)

    async def models(self, caller: Caller) -> dict[str, Any]:
        """The tenant's public names, in OpenAI's list."""
        names = await self._directory.names(caller.tenant_id)
        return {"object": "list", "data": [_model(name) for name in names]}

    async def model(self, caller: Caller, name: str) -> dict[str, Any]:
        """One of the tenant's public names.

        Raises:
            NotFoundError: If it has no such model.
        """
        return _model((await self._directory.route(caller.tenant_id, name)).name)

    async def complete(self, request: Request, caller: Caller, kind: type[Asked]) -> Response:
        """Answer one request of a dialect, whole or as a stream.

        Raises:
            BadRequestError: If the body is not one.
            NotFoundError: If the tenant has no such model.
            EngineError: If the engine is away or refuses.
            StorageError: If the trace can be written nowhere.
            TooManyChatsError: If the key has too many at once.
            PermissionDeniedError: If a version is pinned without the right to.
        """
        body = await read_body(request, self._settings.max_body_bytes)
        asked = parse(kind, body, self._limits)
        route = await self._directory.route(caller.tenant_id, asked.model)
        pin = request.headers.get(HEADER)
        if pin is not None:
            route = await pinned(self._directory, caller, route, pin)
        author = author_of(caller, name_in(request) or asked.author)
        before = None
        if asked.continues is not None:
            before = await self._before(caller, author, asked.continues)
            asked.follow([*before.messages, (before.reply or {})["choices"][0]["message"]])
        messages = asked.conversation(body)
        place = await self._place(request, route, author, messages, before)
        exchange = Exchange(
            body,
            asked,
            route,
            *place,
            author=author,
            by_teacher=caller.teaches,
            is_pinned=pin is not None,
        )
        held = Held(self._admission, (caller.tenant_id, caller.key_name))
        try:
            reply = await unless_client_leaves(request.receive, self._answer(exchange, held))
            if isinstance(reply, aiohttp.ClientResponse):
                return ChatStream(exchange, reply, held, self._recorder)
        except TooManyChatsError:
            raise
        except EngineRejectedError as error:
            await self._recorder.record(exchange.trace("failed", error=error.message))
            raise _without_engine_name(error, exchange.route) from error
        except DormouseError as error:
            await self._recorder.record(exchange.trace("failed", error=error.message))
            raise
        finally:
            held.close()
        return await self._finish(exchange, reply)

    async def _finish(self, exchange: Exchange, reply: dict[str, Any] | None) -> Response:
        """Record a whole reply, then show it."""
        if reply is None:
            self._recorder.record_late(exchange.trace("abandoned"))
            return Response(status_code=CLIENT_LEFT)
        answered = exchange.asked.answered(reply)
        await self._recorder.record(exchange.trace("complete", answered=answered))
        content = orjson.dumps(exchange.asked.shown(reply))
        return Response(content, media_type="application/json", headers=exchange.headers)

    async def _answer(
        self, exchange: Exchange, held: Held
    ) -> aiohttp.ClientResponse | dict[str, Any]:
        """A stream's beginning, or the whole reply, when it is this key's turn."""
        had_to_wait = await held.enter()
        if had_to_wait and not exchange.is_pinned:
            # While it waited the pointer may have moved.
            route = exchange.route
            exchange.route = await self._directory.route(route.tenant_id, route.name)
        asked, name = exchange.asked, exchange.route.engine_name
        sent = for_engine(asked, exchange.body, name, exchange.memories, self._limits)
        sent |= asked.named(exchange.id)
        generation = await self._engines.begin(
            exchange.route.adapter, asked.path, sent, whole=not asked.stream
        )
        held.generation = generation
        return generation.response if asked.stream else await whole_reply(generation.response)

    async def _before(self, caller: Caller, author: str, trace_id: UUID) -> Trace:
        """The exchange that is gone on from.

        Raises:
            NotFoundError: If the author has none that ended well and that its client let be stored.
        """
        async with self._directory.sessions.begin() as session:
            trace = await TraceStore(session).get(caller.tenant_id, trace_id)
        if trace is None or trace.status != "complete" or not trace.messages:
            raise unknown_response(str(trace_id))
        # Whose it is was not recorded of old.
        if trace.author not in (None, author) or trace.request.get("store") is False:
            raise unknown_response(str(trace_id))
        return trace

    async def count_tokens(self, request: Request, caller: Caller) -> dict[str, Any]:
        """How many tokens a message of Anthropic's would have; nothing is recorded.

        Raises:
            BadRequestError: If it is not one.
            NotFoundError: If the tenant has no such model.
            EngineError: If the engine is away or refuses.
        """
        body = await read_body(request, self._settings.max_body_bytes)
        asked = parse(CountRequest, body, self._limits)
        route = await self._directory.route(caller.tenant_id, asked.model)
        sent = {**without_reserved(body), "model": route.engine_name}
        path = f"{asked.path}/count_tokens"
        try:
            begun = await self._engines.begin(route.adapter, path, sent, whole=True)
            with closing(begun):
                return await whole_reply(begun.response)
        except EngineRejectedError as error:
            raise _without_engine_name(error, route) from error

    async def _place(
        self,
        request: Request,
        route: Route,
        author: str,
        messages: list[dict[str, Any]],
        continued: Trace | None,
    ) -> tuple[str, UUID | None, list[Memory]]:
        """The author's session and trace before: the one that the client names, or by the prefix.

        With them what the model must be told: a database that is away costs only that.
        """
        named = request.headers.get("X-Dormouse-Session")
        if named is not None and not 0 < len(named) <= MAX_SESSION_LENGTH:
            raise BadRequestError(
                f"X-Dormouse-Session must have 1 to {MAX_SESSION_LENGTH} characters."
            )
        answered = answered_prefix(messages)
        before = None
        if continued is not None and continued.model_id == route.model_id:
            before = (continued.id, continued.session_id)
        memories: list[Memory] = []
        limit = self._settings.max_context_memories
        try:
            is_told = limit > 0 and (
                named is not None or await self._directory.lessons_wait(route.model_id)
            )
            if not (answered or named or is_told):
                return before[1] if before else new_id().hex, before[0] if before else None, []
            async with self._directory.sessions.begin() as session:
                store = TraceStore(session)
                if before is None and answered:
                    before = await store.latest(
                        route.model_id, author, thread_sha256=thread_sha256(answered)
                    )
                if before is None and named is not None:
                    before = await store.latest(route.model_id, author, session_id=named)
                session_id = named or (before[1] if before else new_id().hex)
                if is_told:
                    asked = asked_in(messages)
                    # Behind one key without names a session found by its words may be anybody's.
                    own = (author, named) if named is not None else None
                    known = await MemoryStore(session).outside_weights(route.model_id, own, asked)
                    memories = relevant(known, asked, limit)
        except (SQLAlchemyError, OSError) as error:
            log.warning("the conversation before is not known: %s", error)
            session_id = named or (before[1] if before else new_id().hex)
        return session_id, before[0] if before else None, memories


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "dormouse"}


def _without_engine_name(error: EngineRejectedError, route: Route) -> EngineRejectedError:
    """The engine's complaint in the client's words."""
    message = error.message.replace(route.engine_name, route.name)
    return EngineRejectedError(message, status_code=error.status_code, param=error.param)
