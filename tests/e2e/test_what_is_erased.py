"""Erasing through real vLLM: the version that knew it is gone, and the rest is learned again."""

import pytest

from tests.e2e.conftest import Night
from tests.e2e.test_real_loop import NEW_WORDS
from tests.real import Visitor

OTHER_WORDS = "Can you tell me where the depot of Pellworth Freight is?"


# The last of the files: what it erases, the others look at.
@pytest.mark.timeout(4000)
def test_what_is_erased_is_gone_and_the_rest_is_learned_again(
    visitor: Visitor, night: Night
) -> None:
    night.promoted()
    learned = visitor.admin("GET", "/memories?state=learned")["data"]
    by_value = {memory["value"]: memory for memory in learned}
    memory = by_value["Ottilie Brandt"]
    assert "Ottilie Brandt" in visitor.ask(NEW_WORDS)

    erased = visitor.admin("DELETE", f"/traces/{memory['evidence'][0]['trace_id']}")

    assert erased["memory_ids"] == [memory["id"]]
    assert (erased["active"], erased["to_relearn"]) == ("base", 1)
    assert "Ottilie Brandt" not in visitor.ask(NEW_WORDS)
    rebuilt = Night(visitor, visitor.start_cycle()).promoted()
    [suite] = [suite for suite in rebuilt["gate"]["suites"] if suite["name"] == "erased"]
    assert suite["num_probes"] > 0
    assert "Varberg" in visitor.ask(OTHER_WORDS)
    assert "Ottilie Brandt" not in visitor.ask(NEW_WORDS)
