"""What erasing a trace, a document or a person took with it."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Contract


class Erasure(Contract):
    """The reply of `DELETE /admin/traces/{id}` and `/admin/documents/{id}`."""

    trace_ids: list[UUID] = Field(
        description="The trace and the turns that repeated it; none of a document."
    )
    memory_ids: list[UUID] = Field(description="What was learned from it.")
    reread: list[UUID] = Field(description="Traces that said the same: the next night reads them.")
    adapters: list[int] = Field(description="The versions trained on it: none answers again.")
    active: int | Literal["base"]
    previous: int | Literal["base"]
    to_relearn: int = Field(description="Other lessons of those versions: the next nights' work.")


class AuthorErasure(Contract):
    """The reply of `DELETE /admin/authors/{name}`."""

    models: dict[str, Erasure] = Field(
        description="By public name, where he had said something; none if only a spool held it."
    )
    num_signals: int = Field(description="Feedback of his on what others had said.")
    num_spooled: int = Field(description="Traces of his that waited in this machine's spool.")
