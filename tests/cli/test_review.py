"""`dormouse review`, `memories` and `sleep --propose` against a small server that plays the API."""

from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from tests.cli.test_commands import CYCLE, dormouse
from tests.fakes.api import FakeApi

HELD, PENDING = "GET /admin/memories?state=held", "GET /admin/memories?state=pending"
IDS = [f"01a22e72-ed25-70d5-bcbd-00000000000{number}" for number in range(4)]
TRACE = {
    "trace": {
        "request": {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Where is it?"}]},
                {"role": "assistant", "content": "I do not know."},
                {"role": "user", "content": "The office is in TROMSO, by the quay."},
            ]
        },
        "reply": {"choices": [{"message": {"role": "assistant", "content": "Thank you."}}]},
    },
    "signals": [{"id": "s1", "source": "feedback", "correction": "It is in Tromso."}],
}


def memory(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": IDS[number],
        "kind": "fact",
        "persistence": "long_term",
        "state": "held",
        "held_for": "conflict",
        "question": "Where is the head office of Quillfeather?",
        "answer": "It is in Tromso.",
        "value": "Tromso",
        "reason": f"said twice; contradicts memory {IDS[3]} ('Ghent')",
        "authority": None,
        "evidence": [
            {"trace_id": "t1", "quote": "is in Tromso", "author": "u:aaaaaa", "session_id": "x"},
            {"trace_id": "t2", "quote": "It is in Tromso", "author": "u:bbbbbb", "session_id": "y"}
            | {"signal_id": "s1", "by_teacher": True},
        ],
        **fields,
    }


@pytest.fixture
def waiting(api: FakeApi) -> FakeApi:
    """Three memories are held, one of them for a session; a fourth is what one contradicts."""
    session = memory(2, persistence="session")
    api.replies[HELD] = (200, {"data": [memory(0), memory(1, held_for="authors"), session]})
    api.replies[PENDING] = (200, {"data": []})
    rival = memory(3, state="learned", answer="It is in Ghent.", value="Ghent", reviewed_by="anna")
    api.replies[f"GET /admin/memories/{IDS[3]}"] = (200, rival)
    api.replies["GET /admin/traces/t1"] = api.replies["GET /admin/traces/t2"] = (200, TRACE)
    for memory_id in IDS:
        decided = memory(0, state="pending", held_for=None)
        api.replies[f"POST /admin/memories/{memory_id}/review"] = (200, decided)
    return api


def walk(*answers: str, options: tuple[str, ...] = ()) -> Result:
    typed = "".join(f"{answer}\n" for answer in answers)
    return CliRunner().invoke(app, ["review", *options], input=typed)


def sent(api: FakeApi) -> list[tuple[str, Any]]:
    return [(call, body) for call, _, body in api.requests if call.startswith("POST")]


def test_a_walk_shows_what_would_be_taught_and_all_that_speaks_for_and_against_it(
    waiting: FakeApi,
) -> None:
    output = walk("q").output
    for expected in (
        "1 of 2",
        "Where is the head office of Quillfeather?",
        "-> It is in Tromso.",
        "fact",
        "it contradicts what is in force",
        "you accept it, and it replaces the other",
        "2 authors in 2 conversations, a teacher among them",
        "user: Where is it?",
        "The office **is in TROMSO**, by the quay.",
        "feedback: **It is in Tromso**.",
        "-> It is in Ghent.",
        "learned",
        "decided by anna",
        "0 decided, 2 still wait.",
    ):
        assert expected in output
    assert "2 of 2" not in output


def test_each_is_decided_with_a_reason_or_a_default(waiting: FakeApi) -> None:
    result = walk("what?", "a", "the lease says so", "r", "")
    assert result.exit_code == 0
    assert "2 decided, 0 still wait." in result.output
    assert sent(waiting) == [
        (
            f"POST /admin/memories/{IDS[0]}/review",
            {"decision": "accept", "reason": "the lease says so"},
        ),
        (
            f"POST /admin/memories/{IDS[1]}/review",
            {"decision": "reject", "reason": "rejected in review"},
        ),
    ]


def test_an_edit_in_a_walk_sends_only_what_was_changed(waiting: FakeApi) -> None:
    result = walk("e", "", "It is in Bergen.", "Bergen", "it moved", "s")
    assert "1 decided, 1 still wait." in result.output
    words = {"answer": "It is in Bergen.", "value": "Bergen"}
    [(_, body)] = sent(waiting)
    assert body == {"decision": "edit", "reason": "it moved", **words}


def test_an_edit_that_is_refused_or_changes_nothing_is_asked_again(waiting: FakeApi) -> None:
    refused = {"error": {"message": "The value does not stand in the answer.", "code": "bad"}}
    waiting.replies[f"POST /admin/memories/{IDS[0]}/review"] = (400, refused)
    output = walk("e", "", "It is in Bergen.", "", "", "e", "", "", "", "s", "q").output
    assert "does not stand in the answer" in output
    assert "Nothing was changed" in output
    assert "0 decided, 2 still wait." in output


def test_what_somebody_else_decided_meanwhile_is_passed_over(waiting: FakeApi) -> None:
    gone = {"error": {"message": "Memory is learned.", "code": "memory_not_held"}}
    waiting.replies[f"POST /admin/memories/{IDS[0]}/review"] = (409, gone)
    output = walk("a", "", "a", "").output
    assert "Memory is learned." in output
    assert "1 decided, 1 still wait." in output


def test_the_end_of_input_leaves_cleanly_with_a_count(waiting: FakeApi) -> None:
    for answers in (("a", ""), ("a", "", "r"), ("a", "", "e", "")):
        result = walk(*answers)
        assert result.exit_code == 0
        assert "1 decided, 1 still wait." in result.output


def test_ctrl_c_leaves_cleanly_with_a_count(
    waiting: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.client.DormouseClient.trace", interrupted)
    result = walk("a")
    assert result.exit_code == 0
    assert "0 decided, 2 still wait." in result.output


def test_with_a_teachers_key_the_quotes_are_shown_without_their_conversations(
    waiting: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DORMOUSE_ADMIN_KEY")
    denied = {"error": {"message": "This needs an admin key.", "code": "denied"}}
    waiting.replies["GET /admin/traces/t1"] = (403, denied)
    output = walk("q").output
    assert "**is in Tromso**" in output
    assert "take an admin key" in output
    keys = {headers["Authorization"] for _, headers, _ in waiting.requests}
    assert keys == {"Bearer chat-key"}


def test_what_a_night_may_learn_comes_behind_what_is_held(waiting: FakeApi) -> None:
    pending = memory(2, state="pending", held_for=None, reason="a teacher's word")
    waiting.replies[PENDING] = (200, {"data": [pending]})
    assert "3 of 3: fact" in walk("s", "s", "s", options=("--pending",)).output
    assert "3 of 3" not in walk("s", "s").output


def test_nothing_waits(api: FakeApi) -> None:
    api.replies[HELD] = (200, {"data": []})
    assert "Nothing waits for a person." in walk().output
    api.replies[f"{HELD}&held_for=authors"] = (200, {"data": []})
    assert "Nothing is held for authors." in walk(options=("--held-for", "authors")).output


def test_many_are_decided_at_once_after_their_number_was_shown(waiting: FakeApi) -> None:
    done = {"decided": [IDS[0]], "not_decided": {IDS[1]: "Memory is learned."}}
    waiting.replies["POST /admin/memories/review"] = (200, done)
    command = ("--all", "reject", "--reason", "a prank")
    refused = walk("n", options=command)
    assert refused.exit_code == 1
    assert "1 held for conflict" in refused.output
    assert "Reject all 2?" in refused.output
    assert sent(waiting) == []
    for result in (walk("y", options=command), walk(options=(*command, "--yes"))):
        assert result.exit_code == 0
        assert "1 rejected." in result.output
        assert "Memory is learned." in result.output
    body = {"ids": IDS[:2], "decision": "reject", "reason": "a prank"}
    assert sent(waiting) == [("POST /admin/memories/review", body)] * 2


def test_many_of_one_kind_are_decided_in_portions(
    waiting: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.client.PAGE_SIZE", 1)
    held = f"{HELD}&held_for=authors"
    rows = [memory(number, held_for="authors") for number in (0, 1)]
    waiting.replies[held] = (200, {"data": rows[:1]})
    waiting.replies[f"{held}&after={IDS[0]}"] = (200, {"data": rows[1:]})
    waiting.replies[f"{held}&after={IDS[1]}"] = (200, {"data": []})
    waiting.replies["POST /admin/memories/review"] = (200, {"decided": ["x"], "not_decided": {}})
    options = ("--all", "accept", "--held-for", "authors", "--reason", "asked around", "--yes")
    assert "2 accepted." in walk(options=options).output
    assert [body["ids"] for _, body in sent(waiting)] == [[IDS[0]], [IDS[1]]]


def test_one_is_edited_by_its_id(waiting: FakeApi) -> None:
    words = ("--answer", "It is in Bergen.", "--value", "Bergen")
    assert dormouse("review", IDS[0], "edit", *words, "--reason", "it moved").exit_code == 0
    [(_, body)] = sent(waiting)
    assert body == {"decision": "edit", "reason": "it moved"} | {
        "answer": "It is in Bergen.",
        "value": "Bergen",
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ("m1", "edit", "--reason", "x"),
        ("m1", "accept", "--reason", "x", "--value", "y"),
        ("m1", "accept"),
        ("m1", "--reason", "x"),
        ("m1", "accept", "--reason", "x", "--all", "accept"),
        ("--all", "accept"),
        ("--all", "edit", "--reason", "x"),
        ("--value", "y"),
    ],
)
def test_what_does_not_go_together_is_a_wrong_call(
    api: FakeApi, arguments: tuple[str, ...]
) -> None:
    assert dormouse("review", *arguments).exit_code == 2
    assert api.requests == []


def test_memories_read_well_at_eighty_columns(
    waiting: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.learned.console.width", 80)
    waiting.replies["GET /admin/memories"] = waiting.replies[HELD]
    lines = [line.rstrip() for line in dormouse("memories").output.splitlines()]
    assert max(map(len, lines)) <= 80
    assert lines[:3] == [
        "00000000  held for conflict  fact",
        "  Where is the head office of Quillfeather?",
        "  -> It is in Tromso.",
    ]


def test_the_end_of_an_id_names_a_memory_if_it_names_only_one(waiting: FakeApi) -> None:
    waiting.replies["GET /admin/memories"] = waiting.replies[HELD]
    waiting.replies[f"GET /admin/memories/{IDS[1]}"] = (200, memory(1))
    assert IDS[1] in dormouse("memories", "00000001").output
    for end in ("0000000f", "00000009"):
        result = dormouse("review", end, "accept", "--reason", "x")
        assert result.exit_code == 1
        assert "No memories have an id that ends with" in result.output


def test_a_proposal_says_what_may_be_taught_and_what_is_held(waiting: FakeApi) -> None:
    waiting.replies["POST /admin/sleep-cycles"] = (202, {"id": "c1", "status": "queued"})
    ended = CYCLE | {"status": "proposed", "gate": None, "stop_after": "resolve"}
    waiting.replies["GET /admin/sleep-cycles/c1"] = (200, ended)
    rows = [
        memory(2, state="pending", authority="teacher"),
        memory(3, state="pending", authority=None),
    ]
    waiting.replies[PENDING] = (200, {"data": rows})
    result = dormouse("sleep", "--propose")
    assert result.exit_code == 0
    assert "1 lessons may be taught by the next night, 2 are held." in result.output
    assert "dormouse review" in result.output
    body = {"model": "default", "stop_after": "resolve"}
    assert sent(waiting) == [("POST /admin/sleep-cycles", body)]
