"""OpenAI's `/v1/responses`."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar
from uuid import UUID

import orjson
from pydantic import Field, PrivateAttr

from api.chat.dialects.base import (
    Answered,
    Asked,
    Message,
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
from shared.errors import (
    BadRequestError,
    DormouseError,
    EngineUnavailableError,
    NotFoundError,
)

ENDS = ("response.completed", "response.incomplete", "response.cancelled")
# Kept by the engine, where it has a store at all, for everybody to read.
NOT_PASSED = ("previous_response_id", "previous_input_messages", "session_id", "background")
# It would show what the model is reminded of.
NOT_SHOWN = ("enable_response_messages",)
PREFIX = "resp_"
CALLS = ("function_call", "custom_tool_call")
RESULTS = ("function_call_output", "custom_tool_call_output")


class ResponsesRequest(Asked):
    """A response; the one before it is found among the traces."""

    path: ClassVar[str] = "v1/responses"
    limited: ClassVar[tuple[str, ...]] = ("max_output_tokens",)
    input: str | list[dict[str, Any]] = Field(min_length=1)
    instructions: str | None = None
    max_output_tokens: int | None = Field(default=None, ge=1)
    previous_response_id: str | None = Field(default=None, max_length=200)
    background: bool | None = None
    _earlier: list[Message] = PrivateAttr(default_factory=list)

    @property
    def continues(self) -> UUID | None:
        """The trace of the response before.

        Raises:
            NotFoundError: If it is no id of ours.
        """
        if self.previous_response_id is None:
            return None
        try:
            return UUID(self.previous_response_id.removeprefix(PREFIX))
        except ValueError:
            raise unknown_response(self.previous_response_id) from None

    def named(self, trace_id: UUID) -> dict[str, Any]:
        """The response's id is its trace's."""
        return {"request_id": PREFIX + trace_id.hex}

    def follow(self, earlier: Sequence[Message]) -> None:
        """Go on from what was said before; instructions hold for one response only."""
        self._earlier = [message for message in earlier if message.get("role") != "system"]

    def conversation(self, body: dict[str, Any]) -> list[Message]:
        """Instructions, what was said before, and the input's items."""
        told = [{"role": "system", "content": self.instructions}] if self.instructions else []
        return [*told, *self._earlier, *_messages(self.input)]

    def recorded(self, body: dict[str, Any]) -> dict[str, Any]:
        """The conversation in OpenAI's chat form, the rest as it came."""
        rest = {
            key: value
            for key, value in super().recorded(body).items()
            if key not in ("input", "instructions")
        }
        return {**rest, "api": self.path, "messages": self.conversation(body)}

    def upstream(self, body: dict[str, Any], memories: Sequence[Memory]) -> dict[str, Any]:
        """With what was said before, and what the model is reminded of in the instructions."""
        if self.background:
            raise BadRequestError("background: not supported", param="background")
        sent = {**without_reserved(body, *NOT_PASSED, *NOT_SHOWN), "store": False}
        if self._earlier:
            own: Sequence[Any] = (
                [{"role": "user", "content": self.input}]
                if isinstance(self.input, str)
                else self.input
            )
            sent["input"] = [*_items(self._earlier), *own]
        if memories:
            own = [{"role": "system", "content": self.instructions}] if self.instructions else []
            sent["instructions"] = reminded(own, memories)[0]["content"]
        return sent

    def shown(self, reply: dict[str, Any]) -> dict[str, Any]:
        """Under the public name, with the client's own instructions."""
        return {
            **reply,
            "model": self.model,
            "instructions": self.instructions,
            "previous_response_id": self.previous_response_id,
            "store": self.store is not False,
        }

    def answered(self, reply: dict[str, Any]) -> Answered:
        """Texts and tool calls."""
        said = [m for m in _messages(reply.get("output") or []) if m["role"] == "assistant"]
        message = said[0] if said else assistant_message("", ())
        calls = message.get("tool_calls")
        tokens = reply.get("usage") or {}
        ended = {"completed": "tool_calls" if calls else "stop", "incomplete": "length"}
        choice = {
            "index": 0,
            "message": message,
            "finish_reason": ended.get(reply.get("status") or ""),
        }
        return Answered(
            reply={"id": reply.get("id"), "created": reply.get("created_at"), "choices": [choice]},
            usage=usage(tokens.get("input_tokens") or 0, tokens.get("output_tokens") or 0),
        )

    def relay(self, engine_name: str) -> Relay:
        """Of named events."""
        return EventRelay(_Response(self), self._event)

    def broken(self, error: DormouseError) -> bytes:
        """An event `error`."""
        envelope = error.envelope()
        return named_event({**envelope["error"], **envelope, "type": "error"})

    def _event(self, event: dict[str, Any]) -> dict[str, Any]:
        response = event.get("response")
        return {**event, "response": self.shown(response)} if isinstance(response, dict) else event


class _Response:
    """A streamed response; its last event holds all of it."""

    def __init__(self, asked: ResponsesRequest) -> None:
        self._asked = asked
        self._response: dict[str, Any] = {}
        self._text = ""
        self.ended = False
        self.is_done = False

    def feed(self, event: dict[str, Any]) -> None:
        """Take one event."""
        if event["type"] == "response.output_text.delta":
            self._text += event["delta"]
        elif event["type"] in ("error", "response.failed"):
            error = event.get("error") or (event.get("response") or {}).get("error") or event
            raise EngineUnavailableError(str(error.get("message") or "engine error"))
        elif event["type"].startswith("response.") and isinstance(event.get("response"), dict):
            self._response = event["response"]
            self.ended = self.is_done = event["type"] in ENDS

    def answered(self) -> Answered:
        """What has come so far."""
        if self.ended:
            return self._asked.answered(self._response)
        content = [{"type": "output_text", "text": self._text}]
        output = [{"type": "message", "role": "assistant", "content": content}]
        return self._asked.answered({**self._response, "output": output})


def unknown_response(name: str) -> NotFoundError:
    """No response that this tenant may go on from has this id."""
    return NotFoundError(
        f"The response {name!r} is not known.",
        param="previous_response_id",
        code="previous_response_not_found",
    )


def _messages(items: str | Sequence[dict[str, Any]]) -> Iterator[Message]:
    """Items as OpenAI's chat has them: what the assistant said and called at a time is one."""
    if isinstance(items, str):
        yield {"role": "user", "content": items}
        return
    texts: list[str] = []
    calls: list[Message] = []
    for item in items:
        kind, role = item.get("type", "message"), item.get("role", "user")
        if kind == "reasoning":
            continue
        if kind in CALLS:
            calls.append(_call(item))
            continue
        if kind == "message" and role == "assistant":
            texts.append(content_text(item.get("content")))
            continue
        if texts or calls:
            yield assistant_message("\n".join(texts), calls)
            texts, calls = [], []
        if kind == "message":
            yield {"role": role, "content": _parts(item.get("content"))}
        elif kind in RESULTS:
            content = item.get("output")
            text = content if isinstance(content, str) else content_text(content)
            yield {"role": "tool", "tool_call_id": item.get("call_id"), "content": text}
    if texts or calls:
        yield assistant_message("\n".join(texts), calls)


def _call(item: dict[str, Any]) -> Message:
    """A call of a function, or of a custom tool, whose input is a text."""
    call_id, name = _text(item.get("call_id") or item.get("id")), _text(item.get("name"))
    if item["type"] == "function_call":
        return tool_call(call_id, name, _text(item.get("arguments")))
    custom = {"name": name, "input": _text(item.get("input"))}
    return {"id": call_id, "type": "custom", "custom": custom}


def _text(content: Any) -> str:
    """A text as it is, and what else stands in its place as JSON: it may be nested too deep."""
    if not content or isinstance(content, str):
        return content or ""
    return orjson.dumps(content).decode()


def _parts(content: Any) -> Any:
    """A message's content in chat's words."""
    if not isinstance(content, list):
        return content
    return [
        {"type": "text", "text": part.get("text", "")}
        if isinstance(part, dict) and part.get("type") in ("input_text", "output_text")
        else part
        for part in content
    ]


def _items(messages: Sequence[Message]) -> Iterator[dict[str, Any]]:
    """Recorded messages as items again."""
    custom: set[Any] = set()
    for message in messages:
        content = message.get("content")
        if message.get("role") == "tool":
            call_id = message.get("tool_call_id")
            kind = "custom_tool_call_output" if call_id in custom else "function_call_output"
            yield {"type": kind, "call_id": call_id, "output": content_text(content)}
            continue
        if content:
            shown = content if isinstance(content, str) else _input_parts(content)
            yield {"type": "message", "role": message["role"], "content": shown}
        for call in message.get("tool_calls") or []:
            if call.get("type") == "custom":
                custom.add(call.get("id"))
                yield {"type": "custom_tool_call", "call_id": call.get("id"), **call["custom"]}
            else:
                function = {"call_id": call.get("id"), **(call.get("function") or {})}
                yield {"type": "function_call", **function}


def _input_parts(content: Sequence[Any]) -> list[Any]:
    """A recorded user's parts in Responses' words."""
    return [
        {"type": "input_text", "text": part.get("text", "")}
        if isinstance(part, dict) and part.get("type") == "text"
        else part
        for part in content
    ]
