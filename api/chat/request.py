"""What the client sent: its body, and where it belongs in a conversation."""

import hashlib
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request

from shared.contracts.traces import content_text
from shared.errors import BadRequestError, PayloadTooLargeError


async def read_body(request: Request, max_bytes: int) -> dict[str, Any]:
    """The JSON object in the body.

    Raises:
        PayloadTooLargeError: If it is larger than `max_bytes`.
        BadRequestError: If it is not a JSON object.
    """
    content = bytearray()
    try:
        async for piece in request.stream():
            content += piece
            if len(content) > max_bytes:
                raise PayloadTooLargeError(f"The body is larger than {max_bytes} bytes.")
    except ClientDisconnect as error:
        raise BadRequestError("The client left before the body was complete.") from error
    try:
        # Strict: no half surrogate pairs, no NaN, nothing nested without end.
        body = orjson.loads(content)
        # What is nested too deeply can be read but not written; a trace is written two levels in.
        orjson.dumps([[body]])
        # PostgreSQL keeps no NUL, and no model reads it.
        if b"\\u0000" in content:
            raise ValueError("it holds the character NUL")
    except (ValueError, TypeError) as error:
        raise BadRequestError(f"The body is not valid JSON: {error}") from error
    if not isinstance(body, dict):
        raise BadRequestError("The body must be a JSON object.")
    return body


def thread_sha256(messages: list[dict[str, Any]]) -> str:
    """One hash for a conversation so far: roles, texts and tool calls."""
    turns = [
        [
            message.get("role"),
            content_text(message.get("content")),
            message.get("tool_calls") or None,
        ]
        for message in messages
    ]
    return hashlib.sha256(orjson.dumps(turns, option=orjson.OPT_SORT_KEYS)).hexdigest()


def answered_prefix(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The conversation up to the last assistant message; empty on a first turn."""
    for index in range(len(messages) - 1, -1, -1):
        if messages[index].get("role") == "assistant":
            return messages[: index + 1]
    return []
