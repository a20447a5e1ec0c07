"""OpenAI's `/v1/chat/completions` and `/v1/completions`."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.chat.dialects.base import Answered, Asked, Message, Relay, without_reserved
from api.chat.relay import ChunkRelay
from api.chat.reminders import reminded
from api.chat.reply import event, public_reply, recorded_reply
from shared.contracts.memories import Memory
from shared.errors import DormouseError


class StreamOptions(BaseModel):
    """`stream_options`."""

    model_config = ConfigDict(extra="allow")
    include_usage: bool | None = False


class ChatMessage(BaseModel):
    """A message; what we do not read is passed on."""

    model_config = ConfigDict(extra="allow")
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]


class Sampled(Asked):
    """What both have in common: choices, and a stream of chunks."""

    n: int | None = Field(default=None, ge=1)
    max_tokens: int | None = Field(default=None, ge=0)
    stream_options: StreamOptions | None = None
    return_token_ids: bool | None = False

    @property
    def num_choices(self) -> int:
        """As many as `n` says."""
        return self.n or 1

    @property
    def wants_usage(self) -> bool:
        """True if a stream must end with a usage chunk."""
        return self.stream_options is not None and bool(self.stream_options.include_usage)

    def upstream(self, body: dict[str, Any], memories: Sequence[Memory]) -> dict[str, Any]:
        """The client's, with the exact token ids asked for, and the usage of streams."""
        sent = {**without_reserved(body), "return_token_ids": True}
        if self.stream:
            options = body.get("stream_options") or {}
            sent["stream_options"] = {**options, "include_usage": True}
        return sent

    def shown(self, reply: dict[str, Any]) -> dict[str, Any]:
        """With token ids only for a client that asked for them."""
        return public_reply(reply, self.model, keep_token_ids=bool(self.return_token_ids))

    def answered(self, reply: dict[str, Any]) -> Answered:
        """With the exact token ids."""
        choices = reply.get("choices", [])
        prompt_token_ids = reply.get("prompt_token_ids")
        if choices and prompt_token_ids is None:
            prompt_token_ids = choices[0].get("prompt_token_ids")
        return Answered(
            reply=recorded_reply(reply),
            prompt_token_ids=prompt_token_ids,
            token_ids=[choice.get("token_ids") or [] for choice in choices],
            usage=reply.get("usage"),
        )

    def relay(self, engine_name: str) -> Relay:
        """Of chunks."""
        return ChunkRelay(
            engine_name,
            self.model,
            num_choices=self.num_choices,
            wants_usage=self.wants_usage,
            keep_token_ids=bool(self.return_token_ids),
        )

    def broken(self, error: DormouseError) -> bytes:
        """The stream ends without `[DONE]`."""
        return event(error.envelope())


class ChatRequest(Sampled):
    """A chat completion."""

    path: ClassVar[str] = "v1/chat/completions"
    limited: ClassVar[tuple[str, ...]] = ("max_tokens", "max_completion_tokens")
    messages: list[ChatMessage] = Field(min_length=1)
    max_completion_tokens: int | None = Field(default=None, ge=0)

    def conversation(self, body: dict[str, Any]) -> list[Message]:
        """The messages as they are."""
        messages: list[Message] = body["messages"]
        return messages

    def upstream(self, body: dict[str, Any], memories: Sequence[Memory]) -> dict[str, Any]:
        """With what the model is reminded of in the system message."""
        sent = super().upstream(body, memories)
        sent["messages"] = reminded(body["messages"], memories)
        return sent


class CompletionRequest(Sampled):
    """A text to be continued: recorded, and never learned from, since nobody asked anything."""

    path: ClassVar[str] = "v1/completions"
    is_chat: ClassVar[bool] = False
    limited: ClassVar[tuple[str, ...]] = ("max_tokens",)
    usual_tokens: ClassVar[int | None] = 16
    prompt: str | list[int] | list[str] | list[list[int]] = Field(min_length=1)

    @property
    def num_choices(self) -> int:
        """As many as `n` says for each prompt."""
        several = isinstance(self.prompt, list) and not isinstance(self.prompt[0], int)
        return super().num_choices * (len(self.prompt) if several else 1)

    def conversation(self, body: dict[str, Any]) -> list[Message]:
        """There is none."""
        return []

    def recorded(self, body: dict[str, Any]) -> dict[str, Any]:
        """Without a conversation, whatever the client calls so."""
        rest = {key: value for key, value in super().recorded(body).items() if key != "messages"}
        return {**rest, "api": self.path}

    def upstream(self, body: dict[str, Any], memories: Sequence[Memory]) -> dict[str, Any]:
        """The engine echoes no prompt when token ids are asked for as well."""
        sent = super().upstream(body, memories)
        if body.get("echo"):
            sent["return_token_ids"] = bool(self.return_token_ids)
        return sent
