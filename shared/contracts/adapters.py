"""Models, adapters, and the moves of a model's pointer."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Contract, Request
from shared.contracts.cycles import GateReport

# What PostgreSQL keeps as an integer.
MAX_VERSION = 2**31 - 1

AdapterState = Literal["candidate", "active", "retired", "rejected", "erased"]


class Adapter(Contract):
    """One immutable LoRA version, as `GET /admin/adapters/{version}` shows it."""

    id: UUID
    model: str
    version: int
    state: AdapterState
    sha256: str
    engine_name: str
    parent: int | None = Field(description="The version that it was trained from; null: the base.")
    cycle_id: UUID | None
    gate: GateReport | None = None
    override_by: str | None = None
    override_reason: str | None = None
    erased_at: datetime | None = Field(default=None, description="Since then it answers nobody.")
    num_memories: int = Field(description="How many memories it was taught, or knows from before.")
    memories: list[UUID] | None = Field(
        default=None, description="Which; told of one version, not in the list."
    )
    created_at: datetime


class AdapterFile(Contract):
    """Where an adapter lies, and how to tell that it acts.

    `path` is the content-addressed directory; `probe` holds token ids with the log-probabilities
    that the trainer saw with and without the adapter.
    """

    id: UUID
    version: int
    engine_name: str
    sha256: str
    path: str
    base: str


class Route(Contract):
    """Who answers on a public name right now. `adapter` is None for the bare base."""

    tenant_id: UUID
    model_id: UUID
    name: str
    base: str
    adapter: AdapterFile | None = None

    @property
    def engine_name(self) -> str:
        """The engine-side name; never a client's text."""
        return self.adapter.engine_name if self.adapter else self.base

    @property
    def version(self) -> str:
        """The value of the header `X-Dormouse-Adapter`."""
        return str(self.adapter.version) if self.adapter else "base"


class RollbackRequest(Request):
    """The body of `POST /admin/rollback`; without `to`, the version before.

    What the version does not know is taken back: it waits for a person, or with `relearn` for the
    next sleep cycle.
    """

    model: str = "default"
    to: Annotated[int, Field(ge=1, le=MAX_VERSION)] | Literal["base"] | None = None
    reason: str | None = Field(default=None, max_length=2000)
    relearn: bool = False


class Rollback(Contract):
    """Where the pointer is now, and where it was.

    `taken_back` memories are no longer in force, `restored` ones are again.
    """

    active: int | Literal["base"]
    previous: int | Literal["base"]
    taken_back: int = 0
    restored: int = 0


class ProbeItem(Contract):
    """One sequence with what the trainer measured on it, nats per answer token (mean)."""

    token_ids: list[int]
    num_prompt_tokens: int
    adapter_logprob: float
    base_logprob: float


class Probe(Contract):
    """The file `probe.json` beside an adapter's weights."""

    items: list[ProbeItem]

    @classmethod
    def parse(cls, content: dict[str, Any]) -> "Probe":
        """Read the file's content.

        Raises:
            pydantic.ValidationError: If it is not a probe.
        """
        return cls.model_validate(content)
