"""What the client sent, and what the engine gets."""

import hashlib
import json
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import ClientDisconnect, Request

from shared.contracts.traces import content_text
from shared.errors import BadRequestError, PayloadTooLargeError

# Ours alone: they choose weights, order or cache, or undo what we add. Not a client's to set.
RESERVED = ("model", "priority", "return_token_ids", "cache_salt", "kv_transfer_params", "store")


class Message(BaseModel):
    """A message; what we do not read is passed on."""

    model_config = ConfigDict(extra="allow")
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]


class StreamOptions(BaseModel):
    """`stream_options`."""

    model_config = ConfigDict(extra="allow")
    include_usage: bool = False


class ChatRequest(BaseModel):
    """The fields that Dormouse reads; all others are the engine's to judge."""

    model_config = ConfigDict(extra="allow")
    model: str = Field(min_length=1, max_length=200)
    messages: list[Message] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions | None = None
    store: bool | None = Field(default=None, description="False keeps the trace out of training.")
    n: int | None = Field(default=None, ge=1)
    max_tokens: int | None = Field(default=None, ge=0)
    max_completion_tokens: int | None = Field(default=None, ge=0)
    return_token_ids: bool = False

    @property
    def wants_usage(self) -> bool:
        """True if a stream must end with a usage chunk."""
        return self.stream_options is not None and self.stream_options.include_usage


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
        # What is nested too deeply can be read but not written.
        orjson.dumps(body)
        # PostgreSQL keeps no NUL, and no model reads it.
        if b"\\u0000" in content:
            raise ValueError("it holds the character NUL")
    except (ValueError, TypeError) as error:
        raise BadRequestError(f"The body is not valid JSON: {error}") from error
    if not isinstance(body, dict):
        raise BadRequestError("The body must be a JSON object.")
    return body


def parse(body: dict[str, Any], max_choices: int, max_tokens: int | None = None) -> ChatRequest:
    """Check the fields that Dormouse reads.

    Raises:
        BadRequestError: If one of them is missing or wrong.
    """
    try:
        chat = ChatRequest.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadRequestError(f"{place}: {first['msg']}", param=place) from error
    if chat.n is not None and chat.n > max_choices:
        raise BadRequestError(f"n: at most {max_choices} choices, got {chat.n}", param="n")
    for name in ("max_tokens", "max_completion_tokens"):
        asked = getattr(chat, name)
        if max_tokens is not None and asked is not None and asked > max_tokens:
            raise BadRequestError(f"{name}: at most {max_tokens}, got {asked}", param=name)
    return chat


def upstream_body(
    body: dict[str, Any], chat: ChatRequest, engine_name: str, max_tokens: int | None = None
) -> dict[str, Any]:
    """The engine's body: the client's, on our name, with the exact token ids asked for.

    `max_tokens` is for a client that named no limit.
    """
    sent = {key: value for key, value in body.items() if key not in RESERVED}
    sent["model"] = engine_name
    sent["return_token_ids"] = True
    if max_tokens is not None and chat.max_tokens is None and chat.max_completion_tokens is None:
        sent["max_tokens"] = max_tokens
    if chat.stream:
        options = body.get("stream_options") or {}
        sent["stream_options"] = {**options, "include_usage": True}
    return sent


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
    return hashlib.sha256(json.dumps(turns, sort_keys=True).encode()).hexdigest()


def answered_prefix(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The conversation up to the last assistant message; empty on a first turn."""
    for index in range(len(messages) - 1, -1, -1):
        if messages[index].get("role") == "assistant":
            return messages[: index + 1]
    return []
