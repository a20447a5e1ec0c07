"""What users say without words is found in the requests, recorded, and weighed."""

from typing import Any

import pytest
from sqlalchemy import select

from shared.contracts.traces import Trace
from shared.db.tables import SignalRow
from tests.fakes.traces import make_signal, make_trace
from tests.worker.conftest import World
from worker.context import Context
from worker.cycle import run_cycle
from worker.triage.implicit import implied_by
from worker.triage.rules import judge

ASKED = make_trace("Who founded Drumlin?", "Nobody.")
TOLD = "Please remember that the head office of Quillfeather is in Tromso."


def beside(first: Trace, said: str, **fields: Any) -> Trace:
    """The same turn once more, in other words perhaps."""
    trace = make_trace(said, model_id=first.model_id, session_id=first.session_id, **fields)
    messages = [*first.messages[:-1], {"role": "user", "content": said}]
    return trace.model_copy(update={"request": {"messages": messages}})


SECOND = make_trace("And who owns it?", after=ASKED)
TOOLS = make_trace("Go on.", after=SECOND)


@pytest.mark.parametrize(
    ("traces", "found"),
    [
        ([ASKED, beside(ASKED, "Who founded Drumlin?")], ["regenerated"]),
        ([ASKED, SECOND, beside(SECOND, "And who owns it?")], ["regenerated"]),
        ([ASKED, SECOND, beside(SECOND, "Who runs it?")], ["edited"]),
        ([ASKED, SECOND, TOOLS], []),
        (
            [ASKED, SECOND, beside(SECOND, "And who owns it?"), beside(SECOND, "Who runs it?")],
            ["regenerated", "edited", "edited"],
        ),
        # Without its history nobody knows whether the first turn was written anew.
        ([ASKED, beside(ASKED, "Who owns Drumlin?")], []),
        ([ASKED, make_trace("Who founded Drumlin?")], []),
    ],
)
def test_a_request_that_ends_as_an_earlier_one_of_its_session_says_something_of_it(
    traces: list[Trace], found: list[str]
) -> None:
    assert [item.source for item in implied_by(traces)] == found
    if len(found) == 1:
        [item] = implied_by(traces[-1:], traces[:-1])
        assert (item.trace_id, item.with_trace) == (traces[-2].id, traces[-1].id)
        assert implied_by(traces[:-1]) == []


def test_what_a_turn_said_before_it_was_written_anew_is_not_learned() -> None:
    told = make_trace(TOLD, after=ASKED)
    anew = beside(told, TOLD.replace("Tromso", "Bergen"))
    edited = make_signal(told).model_copy(update={"source": "edited"})
    decisions, findings = judge([told, anew], [edited])
    assert [finding.value for finding in findings] == ["Bergen"]
    assert [decision.persistence for decision in decisions] == ["discard", "long_term"]
    assert "taken back" in decisions[0].reason


def test_a_lesson_is_not_taken_back_by_what_may_be_another_persons_turn() -> None:
    told = make_trace(TOLD, after=ASKED)
    other = beside(told, "What is the capital of France?")
    edited = make_signal(told).model_copy(update={"source": "edited"})
    decisions, findings = judge([told, other], [edited])
    assert [finding.value for finding in findings] == ["Tromso"]
    assert [decision.persistence for decision in decisions] == ["long_term", "discard"]


def test_a_reply_that_was_asked_for_anew_is_never_imitated() -> None:
    asked_anew = make_signal(ASKED).model_copy(update={"source": "regenerated"})
    [decision], findings = judge([ASKED], [asked_anew])
    assert findings == []
    assert "another reply" in decision.reason


async def test_it_is_recorded_once_with_the_trace_that_it_speaks_of(
    context: Context, world: World
) -> None:
    first = await world.add_trace("Hello!")
    await world.add_trace("Hello!", session_id=first.session_id)
    cycle_id = await world.queue()
    await run_cycle(context, cycle_id)
    assert (await world.cycle(cycle_id)).status == "skipped"
    async with world.sessions.begin() as session:
        [signal] = await session.scalars(select(SignalRow))
        assert (signal.trace_id, signal.source, signal.state) == (
            first.id,
            "regenerated",
            "consolidated",
        )
        assert "another reply was asked for" in (signal.comment or "")
