"""Exchanges to lines and back, as pure functions.

An exported line holds one exchange with all that was said before it. A line from elsewhere is a
whole conversation: it becomes one exchange for each reply in it, as if it had been held here.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from pydantic import ValidationError

from api.chat.dialects.base import NAMES
from api.chat.request import thread_sha256
from shared.contracts.adapters import Route
from shared.contracts.archive import ArchivedSignal, ArchivedTrace, Provenance
from shared.contracts.traces import Signal, Trace
from shared.errors import BadRequestError

Message = dict[str, Any]
ROLES = ("system", "developer", "user", "assistant", "tool", "function")
MAX_MESSAGES = 1000
MAX_EXPANDED_BYTES = 2**26


def to_line(trace: Trace, signals: Sequence[Signal], versions: Mapping[UUID, int]) -> bytes:
    """One complete exchange.

    Args:
        trace: It has a reply.
        signals: What was said of it.
        versions: The version of each adapter.
    """
    said = (trace.reply or {})["choices"][0]["message"]
    provenance = Provenance(
        id=trace.id,
        session_id=trace.session_id,
        parent_id=trace.parent_id,
        created_at=trace.created_at,
        store=trace.store,
        adapter=versions[trace.adapter_id] if trace.adapter_id else "base",
        author=trace.author,
        by_teacher=trace.by_teacher,
        signals=tuple(
            ArchivedSignal(
                rating=s.rating,
                correction=s.correction,
                comment=s.comment,
                author=s.author,
                by_teacher=s.by_teacher,
            )
            for s in signals
            # The others are seen in the requests again.
            if s.source == "feedback"
        ),
    )
    line = {
        **trace.request,
        "messages": [*trace.messages, said],
        "dormouse": provenance.model_dump(mode="json"),
    }
    return orjson.dumps(line) + b"\n"


def from_line(
    line: bytes, route: Route, author_of: Callable[[str | None], str]
) -> tuple[list[Trace], Sequence[ArchivedSignal]]:
    """The exchanges of a line, oldest first, and what was said of the last one.

    `author_of` gives the author for what a line says of who spoke. The same line always gives the
    same ids, so that importing it again changes nothing.

    Raises:
        BadRequestError: If it is not a conversation with a reply.
    """
    try:
        archived = ArchivedTrace.model_validate(orjson.loads(line))
        # What is nested too deeply can be read but not written; a reply is written three levels in.
        orjson.dumps([[[archived.model_dump()]]])
    except ValidationError as error:
        first = error.errors()[0]
        raise BadRequestError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except (ValueError, TypeError) as error:
        raise BadRequestError(f"not valid JSON: {error}") from error
    if b"\\u0000" in line:
        raise BadRequestError("it holds the character NUL")
    _check(archived.messages, len(line))
    if archived.dormouse is not None:
        author = author_of(archived.dormouse.author)
        signals = tuple(
            signal.model_copy(
                update={"author": author_of(signal.author) if signal.author else author}
            )
            for signal in archived.dormouse.signals
        )
        return [_known(archived, archived.dormouse, route, author)], signals
    # Another model may be given the same line.
    digest = hashlib.sha256(route.model_id.bytes + line.strip()).digest()
    name = next(
        (n for n in map((archived.model_extra or {}).get, NAMES) if isinstance(n, str)), None
    )
    return list(_turns(archived, digest, route, author_of(name))), ()


def _check(messages: Sequence[Message], num_bytes: int) -> None:
    for number, message in enumerate(messages):
        if message.get("role") not in ROLES:
            raise BadRequestError(f"messages.{number}.role: one of {', '.join(ROLES)}")
    if messages[-1]["role"] != "assistant" or len(messages) < 2:
        raise BadRequestError("messages: the last one must be the assistant's reply to another")
    for number, message in enumerate(messages):
        calls = message.get("tool_calls") or []
        if not isinstance(calls, list) or not all(_is_call(call) for call in calls):
            raise BadRequestError(f"messages.{number}.tool_calls: a list of function calls")
    # Each exchange holds all that was said before it.
    num_replies = sum(message["role"] == "assistant" for message in messages)
    if len(messages) > MAX_MESSAGES or num_bytes * num_replies > MAX_EXPANDED_BYTES:
        raise BadRequestError(
            f"messages: {len(messages)} in {num_bytes} bytes are too many for one line; cut the "
            "conversation into several"
        )


def _is_call(call: Any) -> bool:
    return isinstance(call, dict) and isinstance(call.get("function", {}), dict)


def _known(archived: ArchivedTrace, provenance: Provenance, route: Route, author: str) -> Trace:
    return _trace(
        archived,
        len(archived.messages) - 1,
        route,
        id=provenance.id,
        session_id=provenance.session_id,
        parent_id=provenance.parent_id,
        store=provenance.store,
        created_at=provenance.created_at,
        author=author,
        by_teacher=provenance.by_teacher,
    )


def _turns(archived: ArchivedTrace, digest: bytes, route: Route, author: str) -> Iterator[Trace]:
    now = datetime.now(UTC)
    parent_id = None
    for place, message in enumerate(archived.messages):
        if message["role"] != "assistant" or place == 0:
            continue
        trace = _trace(
            archived,
            place,
            route,
            id=_id(digest, place),
            session_id=digest.hex()[:32],
            parent_id=parent_id,
            store=(archived.model_extra or {}).get("store") is not False,
            created_at=now,
            author=author,
        )
        parent_id = trace.id
        yield trace


def _trace(archived: ArchivedTrace, place: int, route: Route, **fields: Any) -> Trace:
    """The exchange whose reply is the message at `place`."""
    messages = archived.messages[: place + 1]
    extra = archived.model_extra or {}
    options = {key: value for key, value in extra.items() if key not in ("model", *NAMES)}
    choice = {"index": 0, "message": messages[-1], "finish_reason": "stop"}
    return Trace(
        tenant_id=route.tenant_id,
        model_id=route.model_id,
        status="complete",
        request={**options, "messages": messages[:-1]},
        reply={"choices": [choice]},
        thread_sha256=thread_sha256(messages),
        **fields,
    )


def _id(digest: bytes, place: int) -> UUID:
    """A UUIDv7 (RFC 9562) of the epoch: sorted by `place`, and before all that was heard here."""
    random = int.from_bytes(digest[:8]) >> 2
    return UUID(int=(0x7 << 76) | (place << 64) | (0b10 << 62) | random)
