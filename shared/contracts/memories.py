"""Memories, and the examples drawn from them."""

import hashlib
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.base import PAGE_SIZE, Contract, Request

Persistence = Literal["discard", "session", "long_term"]
MemoryKind = Literal["fact", "preference", "behaviour", "workflow"]
MemoryState = Literal[
    "pending", "learned", "superseded", "held", "rolled_back", "rejected", "expired", "erased"
]
# Who stands for a lesson; `legacy`: it was learned before anybody asked.
Authority = Literal["teacher", "reviewer", "quorum", "legacy"]
# What a held lesson waits for: more authors (or a teacher); a person, as its kind always needs one,
# as it contradicts another, as a person turned it down before, as a screen doubts it, as no screen
# reads its language, or as it lies in weights that were taken back.
HeldFor = Literal["authors", "person", "conflict", "rejected", "screen", "language"]
# A person may decide about what is long-term and in one of these.
REVIEWED_STATES: tuple[MemoryState, ...] = ("held", "pending", "rolled_back")
# What a night has chosen is in one of these until it wakes, unless a person rejects it.
UNTAUGHT_STATES: tuple[MemoryState, ...] = ("pending", "held")
# A night compares these with what is new.
WAITING_STATES: tuple[MemoryState, ...] = ("held", "rolled_back")
Split = Literal["train", "heldout"]


class Evidence(Contract):
    """The trace, and the words in it, that a memory rests on.

    `session_id` and `said_at` are the trace's, and only known of evidence that was stored. `author`
    is who said it, hashed; None where nobody knows.
    """

    trace_id: UUID
    signal_id: UUID | None = None
    quote: str
    author: str | None = None
    by_teacher: bool = False
    session_id: str | None = None
    said_at: datetime | None = None

    @property
    def session(self) -> object:
        """What is counted once, however often it is said there."""
        return (self.author, self.session_id) if self.session_id else self.trace_id


class Memory(Contract):
    """One thing worth keeping.

    `(scope, subject, relation)` is its key; `value` the short answer, `answer` the sentence. The
    key of one whose question a person edited is empty until a night reads it anew.
    `reviewed_by` is who decided about it. It rests on its evidence, or on a document. `authority`
    is who stands for it: without one it reaches nobody. `author` is whose session it holds for.
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
    author: str | None = None
    authority: Authority | None = None
    held_for: HeldFor | None = None
    language: str | None = None
    evidence: list[Evidence] = Field(default_factory=list)
    created_at: datetime

    @property
    def key(self) -> tuple[str, str, str]:
        """What two memories must share to contradict each other."""
        return (self.scope, self.subject.lower(), self.relation)

    @property
    def words_sha256(self) -> str:
        """Changes with what it teaches: the question, the answer or the value."""
        words = "\0".join((self.question, self.answer, self.value))
        return hashlib.sha256(words.encode()).hexdigest()


Decision = Literal["accept", "reject", "edit"]


class MemoryReview(Request):
    """The body of `POST /admin/memories/{id}/review`: what a person decides of a memory.

    `edit` accepts it in other words: those of the three that are given.
    """

    decision: Decision
    reason: str = Field(min_length=1, max_length=2000)
    question: str | None = Field(default=None, min_length=1, max_length=600)
    answer: str | None = Field(default=None, min_length=1, max_length=600)
    value: str | None = Field(default=None, min_length=1, max_length=300)


class MemoryReviews(Request):
    """The body of `POST /admin/memories/review`: one decision about many."""

    ids: list[UUID] = Field(min_length=1, max_length=PAGE_SIZE)
    decision: Literal["accept", "reject"]
    reason: str = Field(min_length=1, max_length=2000)


class Reviewed(Contract):
    """What became of many: those that were decided, and those about which nothing was, with why."""

    decided: list[UUID]
    not_decided: dict[UUID, str]


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

    `was` and `was_reason` are what resolving saw: what a person decided meanwhile stands.
    `says_the_same` lets the memory that stays have this one's evidence too. One that may be taught
    has its `authority`, and the `answer` that all who said it gave; one that is held what it is
    `held_for`.
    """

    memory_id: UUID
    state: MemoryState
    reason: str
    superseded_by: UUID | None = None
    was: MemoryState
    was_reason: str | None = None
    says_the_same: bool = False
    authority: Authority | None = None
    held_for: HeldFor | None = None
    answer: str | None = None


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
