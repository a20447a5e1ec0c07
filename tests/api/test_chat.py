"""A chat over HTTP: what the client sees, what the engine gets, what the trace keeps."""

import asyncio
import json
from typing import Any

import httpx
import openai
import pytest
from sqlalchemy import select

from shared.db.session import Sessions
from shared.db.tables import TraceRow
from shared.engine.client import EngineClient
from shared.errors import EngineUnavailableError
from shared.settings import Settings
from shared.storage.traces import TraceStore
from tests.conftest import API_KEY
from tests.fakes.engine import BASE, FakeEngine

HELLO: Any = [{"role": "user", "content": "hello there"}]


def chat(messages: list[dict[str, str]] = HELLO, **fields: Any) -> dict[str, Any]:
    return {"model": "default", "messages": messages, **fields}


async def traces(sessions: Sessions) -> list[TraceRow]:
    async with sessions.begin() as session:
        return list(await session.scalars(select(TraceRow).order_by(TraceRow.id)))


async def test_a_chat_is_answered_under_the_public_name_and_recorded(
    client: httpx.AsyncClient, sessions: Sessions, engine: FakeEngine
) -> None:
    reply = await client.post("/v1/chat/completions", json=chat(top_p=0.5, custom="kept"))
    assert reply.status_code == 200
    body = reply.json()
    assert body["model"] == "default"
    assert body["choices"][0]["message"]["content"].endswith("says hello there")
    assert "prompt_token_ids" not in body
    assert "token_ids" not in body["choices"][0]
    assert reply.headers["X-Dormouse-Adapter"] == "base"
    [row] = await traces(sessions)
    assert str(row.id) == reply.headers["X-Dormouse-Trace"]
    assert row.status == "complete"
    assert row.state == "queued"
    assert row.prompt_token_ids == [7, 8]
    assert row.token_ids == [[0, 1, 2, 3]]
    assert row.usage == body["usage"]
    assert row.request["custom"] == "kept"
    assert row.reply is not None
    assert row.reply["choices"][0]["message"] == body["choices"][0]["message"]
    assert engine.bodies[0]["top_p"] == 0.5
    assert engine.bodies[0]["custom"] == "kept"


async def test_a_stream_ends_with_done_and_its_trace_is_there_by_then(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    texts, num_at_finish = [], None
    async with client.stream("POST", "/v1/chat/completions", json=chat(stream=True)) as reply:
        lines = [line async for line in reply.aiter_lines() if line]
    for line in lines[:-1]:
        chunk = json.loads(line.removeprefix("data: "))
        assert chunk["model"] == "default"
        assert chunk["choices"], "no usage chunk unless it was asked for"
        texts.append(chunk["choices"][0]["delta"]["content"])
        if chunk["choices"][0]["finish_reason"]:
            num_at_finish = len(await traces(sessions))
    assert lines[-1] == "data: [DONE]"
    assert num_at_finish == 1
    [row] = await traces(sessions)
    assert row.status == "complete"
    assert row.reply is not None
    assert row.reply["choices"][0]["message"]["content"] == "".join(texts)
    assert row.token_ids == [[0, 1, 2, 3]]
    assert row.usage is not None
    assert row.timing["first_token_s"] <= row.timing["total_s"]


async def test_a_stream_shows_usage_when_asked(client: httpx.AsyncClient) -> None:
    body = chat(stream=True, stream_options={"include_usage": True})
    reply = await client.post("/v1/chat/completions", json=body)
    *_, usage, done = [line for line in reply.text.splitlines() if line]
    assert json.loads(usage.removeprefix("data: "))["usage"]["completion_tokens"] == 4
    assert done == "data: [DONE]"


async def test_another_slash_is_not_redirected_with_a_scheme_that_may_be_wrong(
    client: httpx.AsyncClient,
) -> None:
    assert (await client.post("/v1/chat/completions/", json={})).status_code == 404


async def test_a_client_that_leaves_stops_the_generation_and_leaves_a_trace(
    client: httpx.AsyncClient, sessions: Sessions, engine: FakeEngine
) -> None:
    engine.chunk_delay_s = 0.05
    engine.answer = lambda model, text: "word " * 100
    async with client.stream("POST", "/v1/chat/completions", json=chat(stream=True)) as reply:
        await anext(reply.aiter_lines())
    while not (engine.num_aborted and await traces(sessions)):
        await asyncio.sleep(0.02)
    [row] = await traces(sessions)
    assert row.status == "abandoned"
    assert row.state == "excluded"


async def test_leaving_a_whole_reply_stops_the_generation_too(
    client: httpx.AsyncClient, sessions: Sessions, engine: FakeEngine
) -> None:
    engine.chunk_delay_s = 30
    with pytest.raises(httpx.ReadTimeout):
        await client.post("/v1/chat/completions", json=chat(), timeout=0.3)
    while not await traces(sessions):
        await asyncio.sleep(0.02)
    [row] = await traces(sessions)
    assert row.status == "abandoned"


async def test_a_stream_that_breaks_tells_the_client_and_is_no_lesson(
    client: httpx.AsyncClient, sessions: Sessions, engine: FakeEngine
) -> None:
    engine.breaks_after = 2
    reply = await client.post("/v1/chat/completions", json=chat(stream=True))
    lines = [line for line in reply.text.splitlines() if line]
    assert json.loads(lines[-1].removeprefix("data: "))["error"]["code"] == "engine_unavailable"
    [row] = await traces(sessions)
    assert row.status == "failed"
    assert row.state == "excluded"


async def test_store_false_keeps_a_trace_out_of_training(
    client: httpx.AsyncClient, sessions: Sessions, engine: FakeEngine
) -> None:
    await client.post("/v1/chat/completions", json=chat(store=False))
    [row] = await traces(sessions)
    assert row.state == "excluded"
    assert "store" not in engine.bodies[0]


async def test_a_conversation_keeps_its_session_and_knows_the_turn_before(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    first = await client.post("/v1/chat/completions", json=chat())
    said = first.json()["choices"][0]["message"]
    turns = [*HELLO, {"role": said["role"], "content": said["content"]}]
    second = await client.post(
        "/v1/chat/completions", json=chat([*turns, {"role": "user", "content": "no"}])
    )
    other = await client.post("/v1/chat/completions", json=chat())
    session = "X-Dormouse-Session"
    assert first.headers[session] == second.headers[session] != other.headers[session]
    rows = await traces(sessions)
    assert rows[1].parent_id == rows[0].id
    assert rows[2].parent_id is None


async def test_a_session_can_be_named(client: httpx.AsyncClient, sessions: Sessions) -> None:
    for _ in range(2):
        await client.post(
            "/v1/chat/completions", json=chat(), headers={"X-Dormouse-Session": "mine"}
        )
    rows = await traces(sessions)
    assert [row.session_id for row in rows] == ["mine", "mine"]
    assert rows[1].parent_id == rows[0].id


async def test_what_is_ours_alone_cannot_be_set_by_a_client(
    client: httpx.AsyncClient, engine: FakeEngine
) -> None:
    body = chat(priority=-100, cache_salt="x", kv_transfer_params={"a": 1})
    await client.post("/v1/chat/completions", json=body)
    assert not {"priority", "cache_salt", "kv_transfer_params"} & set(engine.bodies[0])


@pytest.mark.parametrize(
    ("content", "status", "code", "param"),
    [
        (b"{", 400, "invalid_request", None),
        (b"[]", 400, "invalid_request", None),
        (b'{"model": "default"}', 400, "invalid_request", "messages"),
        (b'{"model": "default", "messages": []}', 400, "invalid_request", "messages"),
        (json.dumps(chat(n=1000)).encode(), 400, "invalid_request", "n"),
        (b'{"deep": ' + b"[" * 300 + b"]" * 300 + b"}", 400, "invalid_request", None),
        (json.dumps({**chat(), "model": "gpt-9"}).encode(), 404, "model_not_found", "model"),
        (json.dumps(chat(temperature=-1)).encode(), 400, "invalid_request", None),
        (
            b'{"model": "default", "messages": [{"role": "user", "content": "\\u0000"}]}',
            400,
            "invalid_request",
            None,
        ),
        (
            b'{"model": "default", "messages": [{"role": "user", "content": "\\ud800"}]}',
            400,
            "invalid_request",
            None,
        ),
        (b" " * (5 * 1024 * 1024), 413, "request_too_large", None),
    ],
)
async def test_bad_requests_get_the_right_status_and_envelope(
    client: httpx.AsyncClient, content: bytes, status: int, code: str, param: str | None
) -> None:
    reply = await client.post("/v1/chat/completions", content=content)
    assert reply.status_code == status
    error = reply.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == code
    assert error["param"] == param
    assert "SmolLM2" not in error["message"], "the engine's name is not the client's business"


async def test_what_is_nested_as_deeply_as_may_be_is_recorded(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    head = json.dumps(chat())[:-1].encode()
    statuses = []
    for depth in range(248, 256):
        content = head + b', "deep": ' + b"[" * depth + b"]" * depth + b"}"
        reply = await client.post("/v1/chat/completions", content=content)
        statuses.append(reply.status_code)
    assert set(statuses) == {200, 400}
    assert len(await traces(sessions)) == statuses.count(200)


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic abc"])
async def test_a_wrong_key_is_refused(api: str, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    async with httpx.AsyncClient(base_url=api, headers=headers) as nobody:
        for reply in (
            await nobody.post("/v1/chat/completions", json=chat()),
            await nobody.get("/v1/models"),
            await nobody.post("/admin/rollback"),
        ):
            assert reply.status_code == 401
            assert reply.json()["error"]["code"] == "invalid_api_key"


async def test_a_clients_text_never_becomes_an_engine_side_name(
    client: httpx.AsyncClient, engine: FakeEngine
) -> None:
    engine.adapters["dormouse-secret"] = "/somewhere"
    for name in ("dormouse-secret", "SmolLM2-135M-Instruct", "../../etc/passwd"):
        reply = await client.post("/v1/chat/completions", json={**chat(), "model": name})
        assert reply.status_code == 404
    assert engine.bodies == []


async def test_an_engine_that_is_away_is_a_503_with_retry_after(
    client: httpx.AsyncClient, engine: FakeEngine, sessions: Sessions
) -> None:
    await engine.stop()
    reply = await client.post("/v1/chat/completions", json=chat())
    assert reply.status_code == 503
    assert reply.headers["Retry-After"]
    [row] = await traces(sessions)
    assert row.status == "failed"


async def test_the_openai_client_chats_streams_and_lists(api: str) -> None:
    async with openai.AsyncOpenAI(base_url=f"{api}/v1", api_key=API_KEY) as client:
        assert [model.id async for model in client.models.list()] == ["default"]
        whole = await client.chat.completions.create(model="default", messages=HELLO)
        assert whole.choices[0].message.content
        stream = await client.chat.completions.create(
            model="default",
            messages=HELLO,
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
        assert chunks[-1].usage is not None
        with pytest.raises(openai.NotFoundError):
            await client.chat.completions.create(model="gpt-9", messages=HELLO)
    async with openai.AsyncOpenAI(base_url=f"{api}/v1", api_key="wrong") as client:
        with pytest.raises(openai.AuthenticationError):
            await client.models.list()


async def test_a_trace_of_another_tenant_cannot_be_reached(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, sessions: Sessions
) -> None:
    reply = await client.post("/v1/chat/completions", json=chat())
    trace_id = reply.headers["X-Dormouse-Trace"]
    feedback = {"trace_id": trace_id, "rating": 1}
    assert (await stranger.post("/v1/feedback", json=feedback)).status_code == 404
    async with sessions.begin() as session:
        [row] = list(await session.scalars(select(TraceRow)))
        assert await TraceStore(session).get(row.tenant_id, row.id) is not None


async def test_a_whole_reply_may_take_longer_than_a_streams_longest_silence(
    sessions: Sessions, settings: Settings, engine: FakeEngine
) -> None:
    engine.chunk_delay_s = 0.5
    patient = settings.model_copy(update={"engine_idle_timeout_s": 0.2})
    async with EngineClient(patient) as client:
        reply = await client.chat(BASE, HELLO)
        assert reply["choices"][0]["message"]["content"].endswith("hello there")
        with pytest.raises(EngineUnavailableError):
            async with client.open(
                "v1/chat/completions", {"model": BASE, "messages": HELLO, "stream": True}
            ) as response:
                await response.read()
    hurried = settings.model_copy(update={"engine_reply_timeout_s": 0.2})
    async with EngineClient(hurried) as client:
        with pytest.raises(EngineUnavailableError):
            await client.chat(BASE, HELLO)
