"""OpenAI's `/v1/responses`."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar
from uuid import UUID

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
PREFIX = "resp_"


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
        rest = {k: v for k, v in body.items() if k not in ("model", "input", "instructions")}
        return {"api": self.path, **rest, "messages": self.conversation(body)}

    def upstream(self, body: dict[str, Any], memories: Sequence[Memory]) -> dict[str, Any]:
        """With what was said before, and what the model is reminded of in the instructions."""
        if self.background:
            raise BadRequestError("background: not supported", param="background")
        sent = {**without_reserved(body, *NOT_PASSED), "store": False}
        if self._earlier:
            own: Sequence[Any] = (
                [{"role": "user", "content": self.input}]
                if isinstance(self.input, str)
                else self.input
            )
            sent["input"] = [*(item for m in self._earlier for item in _items(m)), *own]
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
        said = list(_messages(reply.get("output") or []))
        texts = [content_text(message.get("content")) for message in said]
        calls = [call for message in said for call in message.get("tool_calls") or []]
        tokens = reply.get("usage") or {}
        ended = {"completed": "tool_calls" if calls else "stop", "incomplete": "length"}
        choice = {
            "index": 0,
            "message": assistant_message("\n".join(text for text in texts if text), calls),
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
    """Items as OpenAI's chat has them."""
    if isinstance(items, str):
        yield {"role": "user", "content": items}
        return
    for item in items:
        match item.get("type", "message"):
            case "message":
                role = item.get("role", "user")
                content = item.get("content")
                yield (
                    assistant_message(content_text(content), ())
                    if role == "assistant"
                    else {"role": role, "content": _parts(content)}
                )
            case "function_call":
                call_id = item.get("call_id") or item.get("id")
                arguments = item.get("arguments") or ""
                yield assistant_message("", [tool_call(call_id, item.get("name"), arguments)])
            case "function_call_output":
                content = item.get("output")
                text = content if isinstance(content, str) else content_text(content)
                yield {"role": "tool", "tool_call_id": item.get("call_id"), "content": text}


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


def _items(message: Message) -> Iterator[dict[str, Any]]:
    """A recorded message as items again."""
    text = content_text(message.get("content"))
    if message.get("role") == "tool":
        call_id = message.get("tool_call_id")
        yield {"type": "function_call_output", "call_id": call_id, "output": text}
        return
    if text:
        yield {"type": "message", "role": message["role"], "content": text}
    for call in message.get("tool_calls") or []:
        function = call.get("function") or {}
        yield {
            "type": "function_call",
            "call_id": call.get("id"),
            "name": function.get("name"),
            "arguments": function.get("arguments"),
        }
