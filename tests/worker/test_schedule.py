"""When a cycle starts by itself."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.settings import Settings
from worker.schedule import Situation, check_cron, why_now

NOW = datetime(2026, 11, 23, 3, 0, 30, tzinfo=UTC)


def situation(**fields: Any) -> Situation:
    known: dict[str, Any] = {
        "now": NOW,
        "num_queued": 10,
        "last_chat_at": NOW - timedelta(minutes=30),
        "last_document_at": None,
        "last_cycle_at": None,
        "last_scheduled_at": None,
    }
    return Situation(**{**known, **fields})


def test_nothing_starts_by_itself_by_default() -> None:
    assert why_now(Settings(), situation()) is None


@pytest.mark.parametrize(
    ("fields", "due"),
    [
        ({}, True),
        ({"now": NOW + timedelta(minutes=5)}, False),
        ({"last_scheduled_at": NOW - timedelta(hours=2), "now": NOW + timedelta(hours=1)}, True),
        ({"last_scheduled_at": NOW - timedelta(seconds=10)}, False),
        # Nothing to sleep on at three: what came after breakfast waits for the next night.
        ({"last_scheduled_at": NOW - timedelta(days=1), "now": NOW + timedelta(hours=1)}, True),
        ({"last_scheduled_at": NOW - timedelta(days=1), "now": NOW + timedelta(hours=6)}, False),
        ({"last_scheduled_at": NOW - timedelta(days=9), "now": NOW + timedelta(hours=6)}, False),
        ({"num_queued": 0}, False),
    ],
)
def test_a_cron_line_fires_once(fields: dict[str, Any], due: bool) -> None:
    settings = Settings(sleep_cron="0 3 * * *")
    assert (why_now(settings, situation(**fields)) is not None) is due


@pytest.mark.parametrize(
    ("fields", "due"),
    [
        ({}, True),
        ({"last_chat_at": NOW - timedelta(minutes=5)}, False),
        ({"last_chat_at": None}, False),
        ({"last_chat_at": None, "last_document_at": NOW - timedelta(minutes=30)}, True),
        ({"last_document_at": NOW - timedelta(minutes=5)}, False),
        ({"last_cycle_at": NOW - timedelta(minutes=1)}, False),
        ({"last_cycle_at": NOW - timedelta(hours=1)}, True),
    ],
)
def test_an_idle_window_starts_one_cycle(fields: dict[str, Any], due: bool) -> None:
    settings = Settings(sleep_idle_s=600)
    found = why_now(settings, situation(**fields))
    assert (found is not None) is due
    if found is not None:
        assert found.trigger == "idle"


def test_too_few_traces_are_not_worth_a_cycle() -> None:
    settings = Settings(sleep_idle_s=600, sleep_min_traces=11)
    assert why_now(settings, situation()) is None


@pytest.mark.parametrize("line", ["0 3 * *", "every night", "0 0 30 2 *", ""])
def test_a_cron_line_that_never_comes_due_is_refused_before_the_night(line: str) -> None:
    with pytest.raises(ValueError, match="DORMOUSE_SLEEP_CRON"):
        check_cron(line)


def test_a_cron_line_may_be_left_out() -> None:
    check_cron(None)
    check_cron("0 3 * * *")
