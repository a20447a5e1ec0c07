"""What every API has in common: who is asked, within which limits, and what is kept of the answer.

A dialect turns the client's body into the engine's, and the engine's reply into the client's. Its
traces hold the conversation as OpenAI's chat messages, whatever API it came by.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Protocol, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.contracts.memories import Memory
from shared.contracts.traces import MAX_NAME_LENGTH
from shared.errors import BadRequestError, DormouseError

# Ours alone: they choose weights, order, cache or ids, or undo what we add. Not a client's to set.
RESERVED = (
    "model",
    "priority",
    "return_token_ids",
    "request_id",
    "cache_salt",
    "kv_transfer_params",
    "ec_transfer_params",
    "store",
)

Message = dict[str, Any]
# Fields that name the author: only the hash of a name is kept.
NAMES = ("user", "safety_identifier")
Name = Annotated[str, Field(max_length=MAX_NAME_LENGTH)]


@dataclass(frozen=True)
class Limits:
    """What a request may ask for; `max_tokens` None is as much as the engine allows."""

    max_choices: int
    max_tokens: int | None = None


@dataclass(frozen=True)
class Answered:
    """What a trace keeps of a reply: `reply` in the shape of a chat completion."""

    reply: dict[str, Any]
    prompt_token_ids: list[int] | None = None
    token_ids: list[list[int]] | None = None
    usage: dict[str, Any] | None = None


class Relay(Protocol):
    """Takes the engine's bytes, gives the client's, and holds the reply's end back."""

    is_done: bool

    @property
    def held(self) -> bytes:
        """The end of the reply, for when its trace is written."""
        ...

    @property
    def ended(self) -> bool:
        """True once all of the reply is there."""
        ...

    def feed(self, piece: bytes) -> bytes:
        """Take a piece; what the client may see by now.

        Raises:
            EngineUnavailableError: If the engine says that it failed.
        """
        ...

    def answered(self) -> Answered:
        """What has come so far."""
        ...


class Asked(BaseModel, ABC):
    """A request in one of the dialects; what is not read here is the engine's to judge.

    Attributes:
        path: The engine's, and behind the slash ours.
        is_chat: False for what is no conversation, and is never learned from.
        limited: The fields that limit the reply's length; the first is set where none is.
        usual_tokens: The limit that the dialect itself has then.
    """

    model_config = ConfigDict(extra="allow")
    path: ClassVar[str]
    is_chat: ClassVar[bool] = True
    limited: ClassVar[tuple[str, ...]]
    usual_tokens: ClassVar[int | None] = None
    model: str = Field(min_length=1, max_length=200)
    stream: bool | None = False
    store: bool | None = Field(default=None, description="False keeps the trace out of training.")
    user: Name | None = Field(default=None, description="Who speaks, as your app names him.")
    safety_identifier: Name | None = Field(default=None, description="The same; goes before.")

    @property
    def num_choices(self) -> int:
        """How many answers are asked for."""
        return 1

    @property
    def author(self) -> str | None:
        """The name of the end user, where the client gives it."""
        return self.safety_identifier or self.user

    @property
    def continues(self) -> UUID | None:
        """The trace that this goes on from, where the client names it."""
        return None

    def follow(self, earlier: Sequence[Message]) -> None:
        """Go on from what was said before."""
        raise NotImplementedError

    def named(self, trace_id: UUID) -> dict[str, Any]:
        """The engine's fields that give the reply the id of its trace."""
        return {}

    @abstractmethod
    def conversation(self, body: dict[str, Any]) -> list[Message]:
        """All that was said so far, as OpenAI's chat messages."""

    @abstractmethod
    def upstream(self, body: dict[str, Any], memories: Sequence[Memory]) -> dict[str, Any]:
        """The engine's body but for the model: the client's, and what the model is reminded of."""

    @abstractmethod
    def shown(self, reply: dict[str, Any]) -> dict[str, Any]:
        """The engine's reply under the public name, without what only we asked for."""

    @abstractmethod
    def answered(self, reply: dict[str, Any]) -> Answered:
        """What a trace keeps of a whole reply."""

    @abstractmethod
    def relay(self, engine_name: str) -> Relay:
        """For a streamed reply."""

    @abstractmethod
    def broken(self, error: DormouseError) -> bytes:
        """The event that tells a client that its stream broke."""

    def recorded(self, body: dict[str, Any]) -> dict[str, Any]:
        """What a trace keeps of the request."""
        return {key: value for key, value in body.items() if key not in ("model", *NAMES)}


AskedT = TypeVar("AskedT", bound=Asked)


def parse(kind: type[AskedT], body: dict[str, Any], limits: Limits) -> AskedT:
    """Check the fields that Dormouse reads.

    Raises:
        BadRequestError: If one of them is missing or wrong.
    """
    try:
        asked = kind.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadRequestError(f"{place}: {first['msg']}", param=place) from error
    if asked.num_choices > limits.max_choices:
        raise BadRequestError(
            f"n: at most {limits.max_choices} choices, got {asked.num_choices}", param="n"
        )
    for name in asked.limited:
        wanted = getattr(asked, name)
        if limits.max_tokens is not None and wanted is not None and wanted > limits.max_tokens:
            raise BadRequestError(f"{name}: at most {limits.max_tokens}, got {wanted}", param=name)
    return asked


def for_engine(
    asked: Asked,
    body: dict[str, Any],
    engine_name: str,
    memories: Sequence[Memory],
    limits: Limits,
) -> dict[str, Any]:
    """The whole body that the engine gets."""
    sent = {"model": engine_name, **asked.upstream(body, memories)}
    known = [limit for limit in (limits.max_tokens, asked.usual_tokens) if limit is not None]
    if known and all(getattr(asked, key) is None for key in asked.limited):
        sent[asked.limited[0]] = min(known)
    return sent


def without_reserved(body: dict[str, Any], *more: str) -> dict[str, Any]:
    """The client's fields that the engine may see."""
    return {key: value for key, value in body.items() if key not in RESERVED and key not in more}


def assistant_message(text: str, calls: Sequence[Message]) -> Message:
    """A reply as OpenAI's chat has it."""
    message: Message = {"role": "assistant", "content": text}
    return {**message, "tool_calls": list(calls)} if calls else message


def tool_call(call_id: str | None, name: str | None, arguments: str) -> Message:
    """A tool call as OpenAI's chat has it; `arguments` is JSON."""
    function = {"name": name or "", "arguments": arguments}
    return {"id": call_id or "", "type": "function", "function": function}


def usage(num_prompt_tokens: int, num_reply_tokens: int) -> dict[str, int]:
    """Tokens, by the names that traces have."""
    return {
        "prompt_tokens": num_prompt_tokens,
        "completion_tokens": num_reply_tokens,
        "total_tokens": num_prompt_tokens + num_reply_tokens,
    }
