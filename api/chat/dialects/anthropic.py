"""Anthropic's `/v1/messages`."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field

from api.chat.dialects.base import (
    Answered,
    Asked,
    Message,
    Name,
    Relay,
    assistant_message,
    tool_call,
    usage,
    without_reserved,
)
from api.chat.dialects.events import EventRelay, named_event
from api.chat.reminders import reminded
from shared.contracts.memories import Memory
from shared.contracts.traces import content_text
from shared.errors import DormouseError, EngineUnavailableError

# Claude Code's, which vLLM leaves out.
HEADER = "x-anthropic-billing-header"
FINISH_REASONS = {"max_tokens": "length", "tool_use": "tool_calls"}


class Turn(BaseModel):
    """A message; what we do not read is passed on."""

    model_config = ConfigDict(extra="allow")
    role: Literal["user", "assistant", "system"]
    content: str | list[dict[str, Any]]


class Metadata(BaseModel):
    """`metadata`."""

    model_config = ConfigDict(extra="allow")
    user_id: Name | None = None


class MessagesRequest(Asked):
    """A message of Anthropic's."""

    path: ClassVar[str] = "v1/messages"
    limited: ClassVar[tuple[str, ...]] = ("max_tokens",)
    max_tokens: int = Field(ge=1)
    messages: list[Turn] = Field(min_length=1)
    system: str | list[dict[str, Any]] | None = None
    metadata: Metadata | None = None

    @property
    def author(self) -> str | None:
        """Anthropic's field, or OpenAI's."""
        return (self.metadata.user_id if self.metadata else None) or super().author

    def conversation(self, body: dict[str, Any]) -> list[Message]:
        """Its system prompt and turns; a tool's result is a message of its own."""
        system = _seen(self.system or [])
        told = [{"role": "system", "content": content_text(system)}] if system else []
        return [*told, *(part for turn in self.messages for part in _messages(turn))]

    def recorded(self, body: dict[str, Any]) -> dict[str, Any]:
        """The conversation in OpenAI's form, the rest as it came."""
        rest = {key: value for key, value in super().recorded(body).items() if key != "system"}
        if self.metadata is not None:
            rest["metadata"] = {k: v for k, v in body["metadata"].items() if k != "user_id"}
        return {**rest, "api": self.path, "messages": self.conversation(body)}

    def upstream(self, body: dict[str, Any], memories: Sequence[Memory]) -> dict[str, Any]:
        """With what the model is reminded of in the system prompt."""
        sent = without_reserved(body)
        if memories:
            own = [{"role": "system", "content": self.system}] if self.system else []
            sent["system"] = reminded(own, memories)[0]["content"]
        return sent

    def shown(self, reply: dict[str, Any]) -> dict[str, Any]:
        """Under the public name."""
        return {**reply, "model": self.model}

    def answered(self, reply: dict[str, Any]) -> Answered:
        """Texts and tool calls."""
        blocks = reply.get("content") or []
        stop_reason = reply.get("stop_reason")
        tokens = reply.get("usage") or {}
        choice = {
            "index": 0,
            "message": _said(blocks),
            "finish_reason": FINISH_REASONS.get(stop_reason or "", "stop"),
        }
        return Answered(
            reply={"id": reply.get("id"), "choices": [choice]},
            usage=usage(tokens.get("input_tokens") or 0, tokens.get("output_tokens") or 0),
        )

    def relay(self, engine_name: str) -> Relay:
        """Of named events."""
        return EventRelay(_Message(self), self._event)

    def broken(self, error: DormouseError) -> bytes:
        """An error in Anthropic's envelope."""
        return named_event({"type": "error", **error.envelope()})

    def _event(self, event: dict[str, Any]) -> dict[str, Any]:
        started = event.get("message")
        return {**event, "message": self.shown(started)} if isinstance(started, dict) else event


class CountRequest(MessagesRequest):
    """A message whose tokens are only counted: there is no reply to limit."""

    max_tokens: int = Field(default=1, ge=1)


class _Message:
    """A streamed message, put together again."""

    def __init__(self, asked: MessagesRequest) -> None:
        self._asked = asked
        self._message: dict[str, Any] = {}
        self._blocks: dict[int, dict[str, Any]] = {}
        self.ended = False
        self.is_done = False

    def feed(self, event: dict[str, Any]) -> None:
        """Take one event."""
        match event["type"]:
            case "message_start":
                self._message = dict(event["message"])
            case "content_block_start":
                self._blocks[event["index"]] = {**event["content_block"], "json": ""}
            case "content_block_delta":
                block = self._blocks.setdefault(event["index"], {"type": "text", "json": ""})
                delta = event["delta"]
                block["text"] = (block.get("text") or "") + (delta.get("text") or "")
                block["json"] += delta.get("partial_json") or ""
            case "message_delta":
                self._message.update(event.get("delta") or {})
                tokens = {**(self._message.get("usage") or {}), **(event.get("usage") or {})}
                self._message["usage"] = tokens
                self.ended = bool(self._message.get("stop_reason"))
            case "message_stop":
                self.is_done = True
            case "error":
                message = event.get("error", {}).get("message")
                raise EngineUnavailableError(str(message or "engine error"))

    def answered(self) -> Answered:
        """What has come so far."""
        blocks = [
            {**block, "input": block["json"] or block.get("input")}
            for _, block in sorted(self._blocks.items())
        ]
        return self._asked.answered({**self._message, "content": blocks})


def _seen(content: str | list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """A system prompt as the engine reads it: without a header that differs in each request."""
    if isinstance(content, str):
        return "" if content.startswith(HEADER) else content
    return [block for block in content if not str(block.get("text")).startswith(HEADER)]


def _said(blocks: Sequence[dict[str, Any]]) -> Message:
    """An assistant's blocks as one message."""
    texts = content_text([block for block in blocks if block.get("type") == "text"])
    calls = [
        tool_call(block.get("id"), block.get("name"), _json(block.get("input")))
        for block in blocks
        if block.get("type") == "tool_use"
    ]
    return assistant_message(texts, calls)


def _messages(turn: Turn) -> Iterator[Message]:
    """A turn as OpenAI's chat has it."""
    content = _seen(turn.content) if turn.role == "system" else turn.content
    if not content:
        return
    if isinstance(content, str):
        yield {"role": turn.role, "content": content}
    elif turn.role == "assistant":
        yield _said(content)
    else:
        results = [block for block in content if block.get("type") == "tool_result"]
        for block in results:
            text = content_text(block.get("content"))
            yield {"role": "tool", "tool_call_id": block.get("tool_use_id"), "content": text}
        rest = [block for block in content if block.get("type") != "tool_result"]
        if rest:
            yield {"role": turn.role, "content": rest}


def _json(value: Any) -> str:
    """A tool's input as JSON; a stream's comes as JSON, written in the engine's own way."""
    try:
        parsed = orjson.loads(value) if isinstance(value, str) else value or {}
        return orjson.dumps(parsed, option=orjson.OPT_SORT_KEYS).decode()
    except (ValueError, TypeError):
        # No JSON, or nested too deeply.
        return str(value)
