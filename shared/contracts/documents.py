"""Documents that are given to study: what they hold becomes memories like what is said in chats."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Contract, Request

MAX_TEXT_CHARS = 200_000

DocumentState = Literal["queued", "claimed", "studied", "erased"]


class DocumentRequest(Request):
    """The body of `POST /admin/documents`: plain text or Markdown."""

    model: str = Field(default="default", min_length=1, max_length=200)
    title: str = Field(min_length=1, max_length=200)
    text: str = Field(min_length=1, max_length=MAX_TEXT_CHARS)


class DocumentCounts(Contract):
    """What became of a document's sentences.

    `memories` are to be learned, `unfit` hold secrets, personal data or instructions,
    `without_fact` state nothing that could be asked for.
    """

    sentences: int = 0
    memories: int = 0
    unfit: int = 0
    without_fact: int = 0


class Document(Contract):
    """A document, without its text."""

    id: UUID
    title: str = Field(description="Who erased it, and why, once it is erased.")
    sha256: str
    num_chars: int
    state: DocumentState
    counts: DocumentCounts | None = None
    cycle_id: UUID | None = None
    created_at: datetime


class DocumentText(Contract):
    """What triage reads of a document."""

    id: UUID
    title: str
    text: str
