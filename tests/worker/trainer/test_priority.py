"""Chats come first: the trainer makes way, and nobody else has to."""

import subprocess
import sys

import pytest

from worker.trainer.priority import AUTOGROUP, NICENESS

SAY = (
    "import os; from worker.trainer.priority import AUTOGROUP, give_way; give_way();"
    "print(os.nice(0)); print(AUTOGROUP.read_text() if AUTOGROUP.exists() else '')"
)


@pytest.mark.parametrize("own_session", [True, False])
def test_its_own_session_gets_the_lowest_priority_and_no_other(own_session: bool) -> None:
    before = AUTOGROUP.read_text() if AUTOGROUP.exists() else ""
    said = subprocess.run(
        [sys.executable, "-c", SAY],
        start_new_session=own_session,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert said[0] == str(NICENESS)
    if before and own_session:
        assert said[1].endswith(f"nice {NICENESS}")
    elif before:
        assert said[1] == before.strip()
