"""Erasing through real vLLM: nothing that knew the lesson answers, and the engine goes on."""

import time
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import Night
from tests.e2e.test_real_loop import NEW_WORDS
from tests.real import Visitor

DELETED_WITHIN_S = 60.0


# The last of the files: what it erases, the others look at.
def test_what_is_erased_is_gone_with_its_files_and_the_engine_goes_on(
    visitor: Visitor, night: Night
) -> None:
    version = night.promoted()["adapter"]
    adapter = visitor.admin("GET", f"/adapters/{version}")
    files = visitor.stack.home.path / "adapters" / adapter["sha256"]
    [memory] = visitor.admin("GET", "/memories?state=learned")["data"]
    assert "Ottilie Brandt" in visitor.ask(NEW_WORDS)
    assert files.is_dir()

    erased = visitor.admin("DELETE", f"/traces/{memory['evidence'][0]['trace_id']}")

    assert erased["memory_ids"] == [memory["id"]]
    assert version in erased["adapters"]
    assert erased["active"] == "base"
    assert "Ottilie Brandt" not in visitor.ask(NEW_WORDS)
    with pytest.raises(httpx.HTTPStatusError, match="409"):
        visitor.admin("POST", "/rollback", json={"to": version})
    assert _is_deleted(files)
    assert "Ottilie Brandt" not in visitor.ask(NEW_WORDS)
    assert visitor.chat("Hello!", stream=False, store=False).status_code == 200


def _is_deleted(files: Path) -> bool:
    until = time.monotonic() + DELETED_WITHIN_S
    while files.exists() and time.monotonic() < until:
        time.sleep(0.5)
    return not files.exists()
