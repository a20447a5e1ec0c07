"""What erasing a trace or a document took with it."""

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
