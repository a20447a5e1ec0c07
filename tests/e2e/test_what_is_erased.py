"""Erasing through real vLLM: the version that knew it is gone, and the rest is learned again."""

import pytest

from tests.e2e.conftest import OTHER_QUESTION, Night
from tests.e2e.test_real_loop import NEW_WORDS
from tests.real import Visitor

COLOUR_IN_NEW_WORDS = "Can you tell me what colour the vans of Nettle Couriers are?"


# The last of the files: what it erases, the others look at.
@pytest.mark.timeout(4000)
def test_what_is_erased_is_gone_and_the_rest_is_learned_again(
    visitor: Visitor, night: Night
) -> None:
    night.promoted()
    learned = visitor.admin("GET", "/memories?state=learned")["data"]
    [memory] = [memory for memory in learned if memory["question"] == OTHER_QUESTION]
    assert "teal" in visitor.ask(COLOUR_IN_NEW_WORDS).lower()

    erased = visitor.admin("DELETE", f"/traces/{memory['evidence'][0]['trace_id']}")

    assert erased["memory_ids"] == [memory["id"]]
    assert (erased["active"], erased["to_relearn"]) == ("base", 1)
    assert "teal" not in visitor.ask(COLOUR_IN_NEW_WORDS).lower()
    rebuilt = Night(visitor, visitor.start_cycle()).promoted()
    [suite] = [suite for suite in rebuilt["gate"]["suites"] if suite["name"] == "erased"]
    assert suite["num_probes"] > 0
    assert "Ottilie Brandt" in visitor.ask(NEW_WORDS)
    assert "teal" not in visitor.ask(COLOUR_IN_NEW_WORDS).lower()
