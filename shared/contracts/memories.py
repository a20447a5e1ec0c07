"""Memories, and the examples drawn from them."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Contract, Request

Persistence = Literal["discard", "session", "long_term"]
MemoryKind = Literal["fact", "preference", "behaviour", "workflow"]
MemoryState = Literal[
    "pending", "learned", "superseded", "held", "rolled_back", "rejected", "expired", "erased"
]
# A person is asked about these.
REVIEWED_STATES: tuple[MemoryState, ...] = ("held", "rolled_back")
Split = Literal["train", "heldout"]


class Evidence(Contract):
    """The trace, and the words in it, that a memory rests on.

    `session_id` and `said_at` are the trace's, and only known of evidence that was stored.
    """

    trace_id: UUID
    signal_id: UUID | None = None
    quote: str
    session_id: str | None = None
    said_at: datetime | None = None


class Memory(Contract):
    """One thing worth keeping.

    `(scope, subject, relation)` is its key; `value` the short answer, `answer` the sentence.
    `reviewed_by` is who decided about it when it was held or rolled back. It rests on its
    evidence, or on a document.
    """

    id: UUID
    model_id: UUID
    cycle_id: UUID
    kind: MemoryKind
    persistence: Persistence
    state: MemoryState
    scope: str = ""
    subject: str
    relation: str
    question: str
    answer: str
    value: str
    reason: str
    session_id: str | None = None
    expires_at: datetime | None = None
    superseded_by: UUID | None = None
    reviewed_by: str | None = None
    document_id: UUID | None = None
    document_given_at: datetime | None = None
    evidence: list[Evidence] = Field(default_factory=list)
    created_at: datetime

    @property
    def key(self) -> tuple[str, str, str]:
        """What two memories must share to contradict each other."""
        return (self.scope, self.subject.lower(), self.relation)


class MemoryReview(Request):
    """The body of `POST /admin/memories/{id}/review`: what a person decides of a memory."""

    decision: Literal["accept", "reject"]
    reason: str = Field(min_length=1, max_length=2000)


class TraceDecision(Contract):
    """Why a trace was kept or not.

    Attributes:
        way: The tool calls that worked, in order, of an agent that ended with an answer.
    """

    trace_id: UUID
    persistence: Persistence
    reason: str
    way: str | None = None


class MemoryChange(Contract):
    """What resolving did to one memory, and why.

    `was` is the state that resolving saw: a change of another one, by a person meanwhile, stands.
    `says_the_same` lets the memory that stays have this one's evidence too.
    """

    memory_id: UUID
    state: MemoryState
    reason: str
    superseded_by: UUID | None = None
    was: MemoryState
    says_the_same: bool = False


class SeedExample(Contract):
    """A training example, or a held-out probe, drawn from a memory."""

    id: UUID
    memory_id: UUID
    split: Split
    form: str
    messages: list[dict[str, Any]]
    accept: list[str]

    @property
    def question(self) -> str:
        """The user's words."""
        text: str = self.messages[-2]["content"]
        return text


class Dream(Contract):
    """A prompt that the model dreamt up, with its answer; or one turn of its own, plain text."""

    id: UUID
    messages: list[dict[str, Any]]
