"""Traces over HTTP: looked at, taken out as lines, brought in as lines."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from shared.contracts.traces import Trace
from shared.db.session import Sessions
from shared.storage.traces import TraceStore

ASKED = {"model": "default", "messages": [{"role": "user", "content": "Who runs Drumlin?"}]}
CONVERSATION: dict[str, Any] = {
    "messages": [
        {"role": "user", "content": "Who founded Drumlin?"},
        {"role": "assistant", "content": "Ada Lovelace."},
        {"role": "user", "content": "No, Drumlin was founded by Selma Rooke."},
        {"role": "assistant", "content": "Thank you."},
    ],
    "tools": [],
}

TURNS: list[dict[str, Any]] = CONVERSATION["messages"]


def lines(*items: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(item).encode() + b"\n" for item in items)


def parsed(reply: httpx.Response) -> list[dict[str, Any]]:
    assert reply.status_code == 200, reply.text
    return [json.loads(line) for line in reply.text.splitlines()]


async def test_a_trace_is_shown_with_what_was_said_of_it(
    client: httpx.AsyncClient, admin: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    trace_id = (await client.post("/v1/chat/completions", json=ASKED)).headers["X-Dormouse-Trace"]
    await client.post("/v1/feedback", json={"trace_id": trace_id, "correction": "Selma Rooke."})
    record = (await admin.get(f"/admin/traces/{trace_id}")).json()
    assert record["trace"]["request"]["messages"] == ASKED["messages"]
    assert record["state"] == "queued"
    assert [signal["correction"] for signal in record["signals"]] == ["Selma Rooke."]
    assert (record["decisions"], record["memory_ids"]) == ([], [])
    assert (await admin.get(f"/admin/traces/{uuid4()}")).status_code == 404
    assert (await stranger.get(f"/admin/traces/{trace_id}")).status_code == 404
    assert (await client.get(f"/admin/traces/{trace_id}")).status_code == 403


async def test_what_is_exported_can_be_brought_into_an_empty_database_and_is_the_same(
    client: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    stranger: httpx.AsyncClient,
    sessions: Sessions,
) -> None:
    first = await client.post("/v1/chat/completions", json=ASKED)
    said = first.json()["choices"][0]["message"]
    turns = [*ASKED["messages"], said, {"role": "user", "content": "No: Selma Rooke."}]
    await client.post("/v1/chat/completions", json={**ASKED, "messages": turns, "store": False})
    trace_id = first.headers["X-Dormouse-Trace"]
    await client.post("/v1/feedback", json={"trace_id": trace_id, "rating": -1})
    exported = parsed(await admin.get("/admin/traces"))
    assert exported[0]["messages"] == [*ASKED["messages"], said]
    assert [item["dormouse"]["parent_id"] for item in exported] == [None, trace_id]
    assert [item["dormouse"]["store"] for item in exported] == [True, False]
    author = exported[0]["dormouse"]["author"]
    assert author.startswith("k:")
    assert exported[0]["dormouse"]["signals"] == [
        {"rating": -1.0, "correction": None, "comment": None, "author": author, "by_teacher": True}
    ]
    assert parsed(await stranger.get("/admin/traces")) == []

    async with sessions.begin() as session:
        await session.execute(text("TRUNCATE traces, signals CASCADE"))
    assert parsed(await admin.get("/admin/traces")) == []
    content = lines(*exported)
    reply = await admin.post("/admin/traces", content=content)
    assert reply.json() == {"imported": 2, "known": 0}
    assert parsed(await admin.get("/admin/traces")) == exported
    assert (await admin.post("/admin/traces", content=content)).json()["imported"] == 0
    assert parsed(await admin.get("/admin/traces")) == exported


async def test_a_conversation_from_elsewhere_becomes_its_exchanges_once(
    admin: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    content = lines(CONVERSATION) + b"\n"
    reply = await admin.post("/admin/traces", content=content)
    assert reply.json() == {"imported": 2, "known": 0}
    assert (await admin.post("/admin/traces", content=content)).json() == {
        "imported": 0,
        "known": 2,
    }
    first, second = parsed(await admin.get("/admin/traces"))
    assert first["messages"] == CONVERSATION["messages"][:2]
    assert second["messages"] == CONVERSATION["messages"]
    assert (first["tools"], second["dormouse"]["parent_id"]) == ([], first["dormouse"]["id"])
    assert first["dormouse"]["session_id"] == second["dormouse"]["session_id"]
    other = await stranger.post("/admin/traces", content=content)
    assert other.json() == {"imported": 2, "known": 0}


async def test_exports_are_cut_by_time(admin: httpx.AsyncClient) -> None:
    await admin.post("/admin/traces", content=lines(CONVERSATION))
    long_ago, far_away = "2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z"
    assert len(parsed(await admin.get("/admin/traces", params={"since": long_ago}))) == 2
    assert parsed(await admin.get("/admin/traces", params={"since": far_away})) == []
    assert (await admin.get("/admin/traces", params={"until": "0.5"})).status_code == 400
    assert parsed(await admin.get("/admin/traces", params={"until": long_ago})) == []


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"{", "not valid JSON"),
        (b"[]", "valid dictionary"),
        (b"{}", "messages: Field required"),
        (lines({"messages": [{"role": "assistant", "content": "Hi"}]}), "reply to another"),
        (lines({"messages": [{"role": "user", "content": "Hi"}]}), "must be the assistant's"),
        (lines({"messages": [{"role": "king"}, {"role": "assistant"}]}), "messages.0.role"),
        (lines({**CONVERSATION, "user": "a\0b"}), "NUL"),
        (
            lines({"messages": [{**turn, "tool_calls": [{"function": 5}]} for turn in TURNS]}),
            "calls",
        ),
        (lines({"messages": TURNS * 600}), "too many for one line"),
        (
            b'{"messages": [{"role": "user"}], "a": ' + b"[" * 400 + b"]" * 400 + b"}",
            "not valid JSON",
        ),
        (lines({**CONVERSATION, "dormouse": {"id": 3}}), "dormouse.id"),
        (b'{"messages": "' + b"a" * 5_000_000, "longer than"),
    ],
)
async def test_a_bad_line_is_named_and_those_before_it_are_in(
    admin: httpx.AsyncClient, line: bytes, complaint: str
) -> None:
    content = lines(CONVERSATION) + line
    reply = await admin.post("/admin/traces", content=content)
    assert reply.status_code == 400
    message = reply.json()["error"]["message"]
    assert complaint in message
    assert message.startswith("Line 2:")
    assert "2 new exchanges" in message
    assert len(parsed(await admin.get("/admin/traces"))) == 2


async def test_a_line_is_nested_too_deep_before_its_rows_are(admin: httpx.AsyncClient) -> None:
    statuses = []
    for depth in range(246, 256):
        nested = b"[" * depth + b"]" * depth
        line = b'{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "deep": '
        reply = await admin.post("/admin/traces", content=line + nested + b', "content": "Hi"}]}')
        statuses.append(reply.status_code)
    assert set(statuses) == {200, 400}


async def test_what_must_not_be_learned_from_stays_so(admin: httpx.AsyncClient) -> None:
    await admin.post("/admin/traces", content=lines({**CONVERSATION, "store": False}))
    exported = parsed(await admin.get("/admin/traces"))
    assert [item["dormouse"]["store"] for item in exported] == [False, False]
    record = await admin.get(f"/admin/traces/{exported[0]['dormouse']['id']}")
    assert record.json()["state"] == "excluded"


@pytest.mark.parametrize("session_id", ["чат-1", "a\r\nb"])
async def test_a_session_that_no_header_can_name_is_refused(
    admin: httpx.AsyncClient, session_id: str
) -> None:
    await admin.post("/admin/traces", content=lines(CONVERSATION))
    item = parsed(await admin.get("/admin/traces"))[0]
    item["dormouse"]["session_id"] = session_id
    reply = await admin.post("/admin/traces", content=lines(item))
    assert reply.status_code == 400
    assert "session_id" in reply.text


@pytest.mark.parametrize("name", ["Größe".encode(), b"a\tb"])
async def test_whatever_a_header_can_hold_names_a_session_and_is_exported(
    client: httpx.AsyncClient, admin: httpx.AsyncClient, name: bytes
) -> None:
    headers = {b"X-Dormouse-Session": name}
    asked = await client.post("/v1/chat/completions", json=ASKED, headers=headers)
    assert asked.status_code == 200
    [exported] = parsed(await admin.get("/admin/traces"))
    assert exported["dormouse"]["session_id"].encode("latin-1") == name
    assert (await admin.post("/admin/traces", content=lines(exported))).json()["known"] == 1


async def test_an_empty_file_is_a_mistake(admin: httpx.AsyncClient) -> None:
    assert (await admin.post("/admin/traces", content=b"\n \n")).status_code == 400


async def test_a_file_may_be_larger_than_any_body_than_a_page_and_than_a_statement(
    admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    add_new = TraceStore.add_new

    async def counted(store: TraceStore, traces: Sequence[Trace]) -> set[UUID]:
        sizes.append(len(traces))
        return await add_new(store, traces)

    monkeypatch.setattr(TraceStore, "add_new", counted)
    monkeypatch.setattr("api.traces.service.BATCH_BYTES", 800_000)
    padding = "a" * 8000
    items = [
        {"messages": [{"role": "user", "content": f"{i} {padding}"}, CONVERSATION["messages"][1]]}
        for i in range(1100)
    ]
    reply = await admin.post("/admin/traces", content=lines(*items))
    assert reply.json() == {"imported": 1100, "known": 0}
    assert 90 < max(sizes) < 110
    exported = parsed(await admin.get("/admin/traces"))
    assert {item["messages"][0]["content"] for item in exported} == {
        item["messages"][0]["content"] for item in items
    }
