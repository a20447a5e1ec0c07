"""A stack of its own whose nights are short: what is tested is who dies, not what is learned."""

from collections.abc import Iterator

import pytest

from tests.real import Visitor, visiting

SHORT_NIGHT = {
    "DORMOUSE_NUM_DREAMS": "16",
    "DORMOUSE_TRAIN_RECIPE": '{"num_steps": 16, "checkpoint_steps": 2}',
    "DORMOUSE_GATE_MAX_GENERAL": "50",
}


@pytest.fixture(scope="module")
def visitor() -> Iterator[Visitor]:
    with visiting(SHORT_NIGHT) as visitor:
        yield visitor
