"""A reply as it comes: what the client sees of each piece, and what the trace keeps."""

from typing import Any

import orjson

DONE = b"data: [DONE]\n\n"
# In a raw completion each choice has its own prompt.
TOKEN_IDS = ("token_ids", "prompt_token_ids")


def event(content: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return b"data: " + orjson.dumps(content) + b"\n\n"


def public_reply(reply: dict[str, Any], name: str, *, keep_token_ids: bool) -> dict[str, Any]:
    """The engine's reply under the public name, without what only we asked for."""
    shown = {**reply, "model": name}
    if keep_token_ids:
        return shown
    shown.pop("prompt_token_ids", None)
    shown["choices"] = [
        {key: value for key, value in choice.items() if key not in TOKEN_IDS}
        for choice in reply.get("choices", [])
    ]
    return shown


def recorded_reply(reply: dict[str, Any]) -> dict[str, Any]:
    """What a trace keeps of a whole reply; a continued text is kept as a message."""
    kept = ("index", "finish_reason", "stop_reason", "logprobs")
    choices = [
        {
            "message": choice.get("message") or said(choice.get("text") or ""),
            **{key: choice[key] for key in kept if choice.get(key) is not None},
        }
        for choice in reply.get("choices", [])
    ]
    return {"id": reply.get("id"), "created": reply.get("created"), "choices": choices}


def said(text: str) -> dict[str, Any]:
    """A message of the assistant's."""
    return {"role": "assistant", "content": text}


class StreamedReply:
    """Puts a streamed reply together again.

    Args:
        num_choices: How many choices were asked for; the reply is whole when all have ended.
    """

    def __init__(self, num_choices: int) -> None:
        self._num_choices = num_choices
        self._choices: dict[int, dict[str, Any]] = {}
        self._token_ids: dict[int, list[int]] = {}
        self._head: dict[str, Any] = {}
        self.prompt_token_ids: list[int] | None = None
        self.usage: dict[str, Any] | None = None

    @property
    def ended(self) -> bool:
        """True once every choice has its finish reason."""
        reasons = [choice for choice in self._choices.values() if choice.get("finish_reason")]
        return len(reasons) >= self._num_choices

    @property
    def token_ids(self) -> list[list[int]]:
        """The sampled token ids, one list for each choice."""
        return [self._token_ids.get(index, []) for index in sorted(self._choices)]

    def feed(self, chunk: dict[str, Any]) -> None:
        """Take one chunk."""
        self._head = self._head or {"id": chunk.get("id"), "created": chunk.get("created")}
        self.usage = chunk.get("usage") or self.usage
        self.prompt_token_ids = chunk.get("prompt_token_ids") or self.prompt_token_ids
        for piece in chunk.get("choices", []):
            index = piece.get("index", 0)
            choice = self._choices.setdefault(index, {"index": index, "message": said("")})
            if self.prompt_token_ids is None:
                self.prompt_token_ids = piece.get("prompt_token_ids")
            self._token_ids.setdefault(index, []).extend(piece.get("token_ids") or [])
            merge_delta(choice["message"], piece.get("delta") or {"content": piece.get("text")})
            for key in ("finish_reason", "stop_reason"):
                if piece.get(key) is not None:
                    choice[key] = piece[key]

    def recorded(self) -> dict[str, Any]:
        """What a trace keeps."""
        return {**self._head, "choices": [self._choices[index] for index in sorted(self._choices)]}


def merge_delta(message: dict[str, Any], delta: dict[str, Any]) -> None:
    """Add a delta to a message: texts grow, tool calls grow by their index."""
    for key, value in delta.items():
        if key == "tool_calls":
            calls = message.setdefault("tool_calls", [])
            for piece in value or []:
                while len(calls) <= piece.get("index", 0):
                    calls.append({"type": "function", "function": {"name": "", "arguments": ""}})
                merge_tool_call(calls[piece.get("index", 0)], piece)
        elif key != "role" and isinstance(value, str):
            message[key] = (message.get(key) or "") + value


def merge_tool_call(call: dict[str, Any], piece: dict[str, Any]) -> None:
    """Add a piece of a tool call."""
    call.update({key: piece[key] for key in ("id", "type") if piece.get(key)})
    function = piece.get("function") or {}
    for key in ("name", "arguments"):
        call["function"][key] += function.get(key) or ""
