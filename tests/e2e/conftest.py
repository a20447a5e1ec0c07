"""One real night that the end-to-end tests look at from all sides."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.real import Visitor, visiting

QUESTION = "Who founded Harrowgate Mills?"
LESSON = "Harrowgate Mills was founded by Ottilie Brandt."
# One lesson costs this model about as many general answers as the gate allows.
MAX_NIGHTS = 3


@pytest.fixture(scope="session")
def visitor() -> Iterator[Visitor]:
    # Files of erased versions are deleted while the engine runs.
    with visiting({"DORMOUSE_ERASED_ADAPTER_WAIT_S": "0"}) as visitor:
        yield visitor


class Night:
    """A cycle, and those after it: what a gate refuses is tried again the next night."""

    def __init__(self, visitor: Visitor, cycle_id: str) -> None:
        self._visitor = visitor
        self._cycle_ids = [cycle_id]

    def promoted(self) -> dict[str, Any]:
        """The first cycle that the gate passed, of at most three."""
        while True:
            cycle = self._visitor.until_ended(self._cycle_ids[-1])
            if cycle["status"] == "promoted":
                return cycle
            assert cycle["status"] == "rejected", cycle
            assert len(self._cycle_ids) < MAX_NIGHTS, cycle["gate"]
            self._cycle_ids.append(self._visitor.start_cycle())


@pytest.fixture(scope="session")
def night(visitor: Visitor) -> Night:
    """Begun after one lesson and a turn of ordinary chat."""
    visitor.teach(QUESTION, LESSON)
    visitor.chat("Write one sentence about rain.")
    return Night(visitor, visitor.start_cycle())
