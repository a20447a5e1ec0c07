"""What a lesson states, wherever it is on its way: a finding of triage, or a memory."""

from typing import Protocol

from shared.contracts.memories import MemoryKind


class Stated(Protocol):
    """A question, its answer as a sentence, and the short answer in it."""

    @property
    def kind(self) -> MemoryKind: ...

    @property
    def question(self) -> str: ...

    @property
    def answer(self) -> str: ...

    @property
    def value(self) -> str: ...
