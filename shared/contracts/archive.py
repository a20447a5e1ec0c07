"""Traces as lines of a file: OpenAI's chat format, with what we know besides in a field of ours."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.base import Contract
from shared.contracts.memories import TraceDecision
from shared.contracts.traces import MAX_NAME_LENGTH, Signal, Trace


class ArchivedSignal(Contract):
    """What somebody said of an exchange."""

    rating: float | None = Field(default=None, ge=-1, le=1)
    correction: str | None = Field(default=None, min_length=1, max_length=8000)
    comment: str | None = Field(default=None, min_length=1, max_length=8000)
    author: str | None = Field(default=None, max_length=MAX_NAME_LENGTH)
    by_teacher: bool = False


class Provenance(Contract):
    """Where a line comes from; the field `dormouse` of an exported line."""

    id: UUID
    session_id: str = Field(
        min_length=1,
        max_length=200,
        pattern=r"^[\t -~\u0080-\u00ff]+$",
        description="What the header X-Dormouse-Session can hold: bytes, read as Latin-1.",
    )
    parent_id: UUID | None = None
    created_at: datetime
    store: bool = True
    adapter: int | Literal["base"] = "base"
    author: str | None = Field(
        default=None,
        max_length=MAX_NAME_LENGTH,
        description="Who spoke: a name, or the hash of one that was exported.",
    )
    by_teacher: bool = Field(default=False, description="Whether his word counts at once.")
    signals: tuple[ArchivedSignal, ...] = ()


class ArchivedTrace(BaseModel):
    """One line: `messages`, the last one the assistant's. Other fields belong to the request."""

    model_config = ConfigDict(extra="allow", frozen=True)
    messages: list[dict[str, Any]] = Field(min_length=1)
    dormouse: Provenance | None = None


class Imported(Contract):
    """The reply of `POST /admin/traces`: how many exchanges were new, and how many known."""

    imported: int
    known: int


class TraceRecord(Contract):
    """The reply of `GET /admin/traces/{id}`: an exchange and what became of it."""

    trace: Trace
    state: str
    signals: list[Signal]
    decisions: list[TraceDecision]
    memory_ids: list[UUID]
