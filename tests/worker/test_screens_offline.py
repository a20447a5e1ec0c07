"""The screens look nothing up: whatever stands in a lesson, no name of it leaves the machine."""

import socket
import subprocess
import sys

import pytest

from worker.screens.parsing import identifiers_in
from worker.screens.private import why_private

NAMES_PLACES = "Write to ada@quillfeather.example or see https://quillfeather.co.uk/desk."


def test_addresses_in_a_lesson_are_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *place, **_: asked.append(place))
    monkeypatch.setattr(socket.socket, "connect", lambda _, place: asked.append(place))

    assert why_private("What is the door code?", "It is 4471#.")
    assert identifiers_in(f"{NAMES_PLACES} IBAN GB82 WEST 1234 5698 7654 32") == ("IBAN_CODE",)
    why_private("Whom do I ask?", NAMES_PLACES)

    assert asked == []


def test_the_worker_loads_no_torch_for_the_screens() -> None:
    script = (
        "import sys; from worker.screens.private import why_private; "
        "assert why_private('What is the door code?', 'It is 4471#.'); "
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", script]).returncode == 0
