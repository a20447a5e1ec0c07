"""Traces and signals: what was said, and what was said of it."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from shared.contracts.base import Contract, Request

# Of an author, as the calling app names him.
MAX_NAME_LENGTH = 256

TraceStatus = Literal["complete", "abandoned", "failed"]
# What users say without words: they ask for another reply, or write their turn anew.
ImplicitSource = Literal["regenerated", "edited"]
SignalSource = Literal["feedback", "next_turn"] | ImplicitSource


class Trace(Contract):
    """One recorded exchange.

    `request` is the client's body without `model`; `reply` holds `choices` as the client saw them.
    `token_ids` has one list for each choice. Times in `timing` are seconds. `memory_ids` are the
    memories that the model was given in its context. `author` is who spoke, hashed (None: recorded
    before that was asked); `by_teacher` that it was by a teacher's key.
    """

    id: UUID
    tenant_id: UUID
    model_id: UUID
    session_id: str
    parent_id: UUID | None = None
    adapter_id: UUID | None = None
    status: TraceStatus
    store: bool = True
    request: dict[str, Any]
    reply: dict[str, Any] | None = None
    prompt_token_ids: list[int] | None = None
    token_ids: list[list[int]] | None = None
    usage: dict[str, Any] | None = None
    timing: dict[str, float] = Field(default_factory=dict)
    memory_ids: list[UUID] | None = None
    error: str | None = None
    thread_sha256: str
    created_at: datetime
    author: str | None = None
    by_teacher: bool = False

    @property
    def session(self) -> tuple[str | None, str]:
        """A session is one author's: another's of the same name is another."""
        return self.author, self.session_id

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The request's messages."""
        messages: list[dict[str, Any]] = self.request.get("messages", [])
        return messages

    @property
    def user_text(self) -> str:
        """The last user message as plain text; empty where there is none."""
        for message in reversed(self.messages):
            if message.get("role") == "user":
                return content_text(message.get("content"))
        return ""

    @property
    def reply_text(self) -> str:
        """The first choice's text; empty where there is none."""
        choices = (self.reply or {}).get("choices") or [{}]
        return content_text(choices[0].get("message", {}).get("content"))


class Signal(Contract):
    """What somebody said of a trace."""

    id: UUID
    trace_id: UUID
    source: SignalSource
    rating: float | None = None
    correction: str | None = None
    comment: str | None = None
    author: str | None = None
    by_teacher: bool = False
    created_at: datetime


def _says_something(schema: dict[str, Any]) -> None:
    kinds = {"rating": "number", "correction": "string", "comment": "string"}
    schema["anyOf"] = [
        {"required": [name], "properties": {name: {"type": kind}}} for name, kind in kinds.items()
    ]


class FeedbackRequest(Request):
    """The body of `POST /v1/feedback`; at least one of the three is given."""

    model_config = ConfigDict(json_schema_extra=_says_something)
    trace_id: UUID
    rating: float | None = Field(default=None, ge=-1, le=1)
    correction: str | None = Field(default=None, min_length=1, max_length=8000)
    comment: str | None = Field(default=None, min_length=1, max_length=8000)
    user: str | None = Field(
        default=None, max_length=MAX_NAME_LENGTH, description="Who says so; only a hash is kept."
    )


class Feedback(Contract):
    """The reply of `POST /v1/feedback`."""

    id: UUID
    trace_id: UUID
    rating: float | None
    correction: str | None
    comment: str | None
    created_at: datetime


def content_text(content: Any) -> str:
    """The text of a message's `content`, which is a string or a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = [part.get("text", "") for part in content if isinstance(part, dict)]
        return "\n".join(text for text in texts if isinstance(text, str))
    return ""
