"""What each stage hands to the next: small frozen values, stored so that a cycle can resume."""

from collections.abc import Collection
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Contract
from shared.contracts.cycles import GateReport
from shared.contracts.memories import MemoryChange


class Collected(Contract):
    """How much the cycle holds, and which adapter was active when it began (None: the base)."""

    num_traces: int
    num_signals: int
    active_adapter_id: UUID | None


class Triaged(Contract):
    """The memories that this cycle's traces gave."""

    memory_ids: list[UUID]


class Resolved(Contract):
    """A consistent set: what to learn now, and what becomes of the others."""

    to_learn: list[UUID]
    changes: list[MemoryChange]

    @property
    def superseded(self) -> set[UUID]:
        """What no longer holds."""
        return {change.memory_id for change in self.changes if change.state == "superseded"}

    @property
    def successors(self) -> dict[UUID, UUID]:
        """What no longer holds, and what replaces it."""
        return {
            change.memory_id: change.superseded_by
            for change in self.changes
            if change.superseded_by is not None and not change.says_the_same
        }

    def without(self, memory_ids: Collection[UUID]) -> "Resolved":
        """Some wait for another night, and what would give way to them stays in force."""
        return Resolved(
            to_learn=[memory_id for memory_id in self.to_learn if memory_id not in memory_ids],
            changes=[item for item in self.changes if item.superseded_by not in memory_ids],
        )


class Seeded(Contract):
    """How many examples there are to train on, and held out; what is known is not trained on.

    `near` holds the near words that the night has asked for. `dropped` is what a person had
    rejected by then. `taught` are the memories that there are examples of, with their
    `words_sha256`: a person may edit or reject them meanwhile.
    """

    num_train: int
    num_heldout: int
    known: tuple[UUID, ...] = ()
    dropped: tuple[UUID, ...] = ()
    taught: dict[UUID, str] = Field(default_factory=dict)
    near: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    def teaches(self, resolved: Resolved) -> bool:
        """Whether anything of it is to be trained on."""
        return not set(resolved.to_learn) <= {*self.known, *self.dropped}


class Dreamt(Contract):
    """How many dreams there are."""

    num_dreams: int


class Trained(Contract):
    """The candidate."""

    adapter_id: UUID


class Gated(Contract):
    """The gate's decision, and which memories the candidate knows.

    `take_out` are the lessons without which a refused candidate is worth another try.
    """

    report: GateReport
    learned: list[UUID]
    take_out: list[UUID] = Field(default_factory=list)
