"""Commands against a small HTTP server that plays the API."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.client import DormouseClient
from cli.home import Home
from cli.main import app
from tests.fakes.api import FakeApi

CYCLE = {
    "id": "c1",
    "status": "promoted",
    "stage": "wake",
    "stages": {"collect": 0.5, "train": 12.0},
    "progress": 1.0,
    "counts": {"traces": 3, "memories": 2, "seeds": 10, "dreams": 8},
    "adapter": 4,
    "error": None,
    "gate": {
        "passed": True,
        "reason": "All suites passed.",
        "suites": [
            {"name": "retention", "baseline": 0.9, "candidate": 0.95, "margin": 0.05}
            | {"passed": True, "num_probes": 40}
        ],
    },
}


def dormouse(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def stream(*chunks: dict[str, Any]) -> str:
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"


def delta(text: str) -> dict[str, Any]:
    return {"choices": [{"delta": {"content": text}}]}


def test_chat_streams_the_answer_and_names_its_trace(api: FakeApi) -> None:
    api.replies["POST /v1/chat/completions"] = (200, stream(delta("Hel"), delta("lo.")))
    result = dormouse("chat", "Hi", "--session", "s1")
    assert result.exit_code == 0
    assert "Hello.\n" in result.output
    assert "trace t1" in result.output
    _, headers, body = api.requests[0]
    assert headers["X-Dormouse-Session"] == "s1"
    assert headers["Authorization"] == "Bearer chat-key"
    assert body["messages"] == [{"role": "user", "content": "Hi"}]


def test_an_operator_asks_another_version(api: FakeApi) -> None:
    api.replies["POST /v1/chat/completions"] = (200, stream(delta("Hello.")))
    assert dormouse("chat", "Hi", "--adapter", "3").exit_code == 0
    _, headers, body = api.requests[0]
    assert headers["X-Dormouse-Adapter"] == "3"
    assert headers["Authorization"] == "Bearer admin-key"
    assert "adapter" not in body


def test_an_answer_that_breaks_off_is_an_error(api: FakeApi) -> None:
    broken = stream(delta("Hel"), {"error": {"message": "the engine went away"}})
    api.replies["POST /v1/chat/completions"] = (200, broken)
    result = dormouse("chat", "Hi")
    assert result.exit_code == 1
    assert "the engine went away" in result.output


def test_an_api_error_is_one_clear_line(api: FakeApi) -> None:
    envelope = {"error": {"message": "A cycle runs already.", "code": "sleep_cycle_active"}}
    api.replies["POST /admin/sleep-cycles"] = (409, envelope)
    result = dormouse("sleep")
    assert result.exit_code == 1
    assert result.output == "error A cycle runs already. [409 sleep_cycle_active]\n"


def test_a_server_error_that_is_not_json_is_one_clear_line(api: FakeApi) -> None:
    api.replies["GET /admin/adapters"] = (502, "Bad [bold]gateway[/]")
    result = dormouse("adapters")
    assert result.exit_code == 1
    assert result.output == "error Bad [bold]gateway[/] [502 api_error]\n"


def test_no_answer_says_where_it_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DORMOUSE_URL", "http://127.0.0.1:9")
    result = dormouse("cycles")
    assert result.exit_code == 1
    assert "Nothing answers at http://127.0.0.1:9" in result.output


@pytest.mark.parametrize(
    ("status", "exit_code"), [("promoted", 0), ("skipped", 0), ("rejected", 1), ("failed", 1)]
)
def test_sleep_ends_with_the_cycles_outcome(api: FakeApi, status: str, exit_code: int) -> None:
    api.replies["POST /admin/sleep-cycles"] = (202, {"id": "c1", "status": "queued"})
    api.replies["GET /admin/sleep-cycles/c1"] = (200, CYCLE | {"status": status})
    result = dormouse("sleep", "--reason", "test")
    assert result.exit_code == exit_code
    assert "train    done in 12.0 s" in result.output
    assert "retention" in result.output
    assert api.requests[0][2] == {"model": "default", "reason": "test"}


def test_feedback_sends_only_what_was_given(api: FakeApi) -> None:
    api.replies["POST /v1/feedback"] = (201, {})
    assert dormouse("feedback", "t1", "--rating", "-1").exit_code == 0
    assert api.requests[0][2] == {"trace_id": "t1", "rating": -1.0}
    assert dormouse("feedback", "t1").exit_code == 1


def test_a_file_is_given_to_study_under_its_name(api: FakeApi, tmp_path: Path) -> None:
    page = tmp_path / "handbook.md"
    page.write_text("Drumlin uses Paperlane.")
    reply = {"id": "d1", "title": "handbook.md", "state": "queued", "num_chars": 23}
    api.replies["POST /admin/documents"] = (202, reply)
    assert "handbook.md" in dormouse("study", str(page)).output
    body = {"model": "default", "title": "handbook.md", "text": "Drumlin uses Paperlane."}
    assert api.requests[-1][2] == body
    page.write_bytes(b"\xff\xfe\x00")
    result = dormouse("study", str(page))
    assert result.exit_code == 1
    assert "is not text in UTF-8" in result.output
    assert dormouse("study", str(tmp_path / "nowhere.md")).exit_code == 2


def test_documents_show_what_became_of_their_sentences(api: FakeApi) -> None:
    counts = {"sentences": 12, "memories": 7, "unfit": 1, "without_fact": 4}
    document = {"id": "d1", "title": "handbook.md", "state": "studied", "counts": counts}
    api.replies["GET /admin/documents"] = (200, {"data": [document]})
    output = dormouse("documents").output
    assert all(word in output for word in ("handbook.md", "studied", "12", "7"))


def test_memories_are_listed_by_state_and_page_by_page(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.client.PAGE_SIZE", 1)
    held = "GET /admin/memories?state=held"
    rows = [{"id": f"m{number}", "state": "held"} for number in (1, 2)]
    api.replies[held] = (200, {"data": rows[:1]})
    api.replies[f"{held}&after=m1"] = (200, {"data": rows[1:]})
    api.replies[f"{held}&after=m2"] = (200, {"data": []})
    with DormouseClient.from_home(Home.at(None)) as client:
        assert client.memories(state="held") == rows
    api.replies["GET /admin/memories?state=expired"] = (200, {"data": []})
    assert "None is expired." in dormouse("memories", "--state", "expired").output


def test_a_held_memory_is_decided_with_a_reason(api: FakeApi) -> None:
    reply = {"id": "m1", "state": "pending", "reason": "admin accepted it: it moved"}
    api.replies["POST /admin/memories/m1/review"] = (200, reply)
    result = dormouse("review", "m1", "accept", "--reason", "it moved")
    assert "admin accepted it: it moved" in result.output
    assert api.requests[-1][2] == {"decision": "accept", "reason": "it moved"}
    assert dormouse("review", "m1", "perhaps", "--reason", "it moved").exit_code == 2
    assert dormouse("review", "m1", "reject").exit_code == 2


def test_rollback_takes_a_version_or_base(api: FakeApi) -> None:
    moved = {"active": "base", "previous": 4, "taken_back": 2, "restored": 0}
    api.replies["POST /admin/rollback"] = (200, moved)
    output = dormouse("rollback", "--to", "base").output
    assert "base answers now; before: 4" in output
    assert "2 memories went with it, `rolled_back`" in output
    assert "in force again" not in output
    assert "waiting for the next night" in dormouse("rollback", "--to", "3", "--relearn").output
    assert [body for _, _, body in api.requests] == [
        {"model": "default", "relearn": False, "to": "base"},
        {"model": "default", "relearn": True, "to": 3},
    ]
    assert dormouse("rollback", "--to", "latest").exit_code == 1


def test_erasing_asks_first_and_says_what_went(api: FakeApi) -> None:
    gone = {"trace_ids": ["t1", "t2"], "memory_ids": ["m1"], "adapters": [2, 3], "reread": ["t3"]}
    api.replies["DELETE /admin/traces/t1?reason=request+17"] = (
        200,
        gone | {"active": 1, "previous": 3, "to_relearn": 4},
    )
    command = ("erase", "t1", "--reason", "request 17")
    assert dormouse(*command).exit_code == 1
    assert api.requests == []
    output = dormouse(*command, "--yes").output
    assert "Erased: 2 traces, 1 memories." in output
    assert "1 traces said the same" in output
    assert "Never answer again: versions 2, 3." in output
    assert "1 answers now; before: 3" in output
    assert "4 other memories wait to be learned again" in output


def test_a_document_is_erased_by_its_id(api: FakeApi) -> None:
    gone: dict[str, Any] = {"trace_ids": [], "memory_ids": ["m1"], "adapters": [], "reread": []}
    api.replies["DELETE /admin/documents/d1"] = (
        200,
        gone | {"active": "base", "previous": "base", "to_relearn": 0},
    )
    output = dormouse("erase", "--document", "d1", "--yes").output
    assert output.strip() == "Erased: 1 document, 1 memories."


def test_a_person_is_erased_by_name_once_that_is_confirmed(api: FakeApi) -> None:
    gone = {"trace_ids": ["t1", "t2"], "memory_ids": ["m1"], "adapters": [2], "reread": ["t3"]}
    of_model = gone | {"active": "base", "previous": 2, "to_relearn": 4}
    api.replies["DELETE /admin/authors/ada%2F4?reason=request+17"] = (
        200,
        {"models": {"default": of_model}, "num_signals": 5, "num_spooled": 6},
    )
    command = ("erase", "--author", "ada/4", "--reason", "request 17")
    asked = dormouse(*command)
    assert (asked.exit_code, api.requests) == (1, [])
    assert "everything that 'ada/4' said" in asked.output
    output = dormouse(*command, "--yes").output
    for expected in (
        "default",
        "Erased: 2 traces, 1 memories.",
        "1 traces said the same",
        "Never answer again: versions 2.",
        "base answers now; before: 2",
        "4 other memories wait",
        "Erased: 5 times feedback on what others said, 6 traces in the spool.",
    ):
        assert expected in output


@pytest.mark.parametrize(
    "given",
    [(), ("t1", "--author", "ada"), ("--document", "--author", "ada"), ("--document",)],
)
def test_what_is_to_be_erased_is_named_in_one_way(api: FakeApi, given: tuple[str, ...]) -> None:
    refused = dormouse("erase", *given, "--yes")
    assert refused.exit_code == 1
    assert "--document ID, or --author NAME" in refused.output
    assert api.requests == []


def test_one_cycle_shows_its_gate(api: FakeApi) -> None:
    api.replies["GET /admin/sleep-cycles/c1"] = (200, CYCLE)
    output = dormouse("cycles", "c1").output
    assert "3 traces" in output
    assert "The gate passed it." in output


def test_every_command_explains_itself() -> None:
    listing = dormouse("--help").output
    for name in ("up", "down", "status", "logs", "chat", "sleep", "cycles", "cancel", "rollback"):
        assert name in listing
        assert dormouse(name, "--help").exit_code == 0


def test_a_trace_is_shown_with_its_words_signals_and_reasons(api: FakeApi) -> None:
    api.replies["GET /admin/traces/t1"] = (
        200,
        {
            "trace": {
                "request": {"messages": [{"role": "user", "content": "Who runs [red]Drumlin?"}]},
                "reply": {"choices": [{"message": {"role": "assistant", "content": "Nobody."}}]},
                "status": "complete",
                "session_id": "s1",
            },
            "state": "consolidated",
            "signals": [
                {"source": "feedback", "rating": -1.0, "correction": "Selma.", "comment": None}
            ],
            "decisions": [{"persistence": "long_term", "reason": "feedback corrected it"}],
            "memory_ids": ["m1"],
        },
    )
    output = dormouse("trace", "t1").output
    for expected in ("Who runs [red]Drumlin?", "Nobody.", "consolidated", "correction: Selma."):
        assert expected in output
    assert "feedback corrected it" in output
    assert "memory m1" in output


def test_an_erased_trace_says_why_and_names_what_went(api: FakeApi) -> None:
    empty: dict[str, Any] = {"request": {}, "reply": None, "status": "complete", "session_id": ""}
    record = {"trace": empty | {"error": "erased by ops: request 17"}, "state": "erased"}
    nothing: dict[str, list[str]] = {"signals": [], "decisions": []}
    api.replies["GET /admin/traces/t1"] = (200, record | nothing | {"memory_ids": ["m1"]})
    output = dormouse("trace", "t1").output
    for expected in ("erased", "erased by ops: request 17", "memory m1"):
        assert expected in output


def test_a_continued_text_is_shown_with_its_prompt(api: FakeApi) -> None:
    api.replies["GET /admin/traces/t1"] = (
        200,
        {
            "trace": {
                "request": {"prompt": "Once upon", "api": "v1/completions"},
                "reply": {"choices": [{"message": {"role": "assistant", "content": " a time"}}]},
                "status": "complete",
                "session_id": "s1",
            },
            "state": "excluded",
            "signals": [],
            "decisions": [],
            "memory_ids": [],
        },
    )
    output = dormouse("trace", "t1").output
    for expected in ("Once upon", "a time", "excluded"):
        assert expected in output


def test_traces_go_into_a_new_file_and_never_over_an_old_one(api: FakeApi, tmp_path: Path) -> None:
    api.replies["GET /admin/traces"] = (200, '{"messages": []}\n{"messages": []}\n')
    file = tmp_path / "traces.jsonl"
    assert "2 exchanges" in dormouse("export", str(file)).output
    assert file.read_text() == api.replies["GET /admin/traces"][1]
    again = dormouse("export", str(file))
    assert again.exit_code == 1
    assert "exists" in again.output
    api.replies["GET /admin/traces"] = (403, {"error": {"message": "no admin", "code": "denied"}})
    refused = dormouse("export", str(tmp_path / "other.jsonl"))
    assert (refused.exit_code, "no admin" in refused.output) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["traces.jsonl"]


def test_a_file_is_brought_in(api: FakeApi, tmp_path: Path) -> None:
    file = tmp_path / "traces.jsonl"
    file.write_text('{"messages": []}')
    api.replies["POST /admin/traces"] = (200, {"imported": 3, "known": 1})
    assert "3 exchanges are queued, 1 were known" in dormouse("import", str(file)).output
    assert api.requests[-1][2] == {"messages": []}
