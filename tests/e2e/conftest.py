"""One real night that the end-to-end tests look at from all sides."""

from collections.abc import Iterator

import pytest

from tests.real import Visitor, visiting

QUESTION = "Who founded Harrowgate Mills?"
LESSON = "Harrowgate Mills was founded by Ottilie Brandt."


@pytest.fixture(scope="session")
def visitor() -> Iterator[Visitor]:
    with visiting({}) as visitor:
        yield visitor


@pytest.fixture(scope="session")
def night(visitor: Visitor) -> str:
    """The id of a cycle, begun after one lesson and a turn of ordinary chat."""
    visitor.teach(QUESTION, LESSON)
    visitor.chat("Write one sentence about rain.")
    return visitor.start_cycle()
