"""Who may call what: every route of the application, with every kind of key."""

from uuid import uuid4

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from api.main import create_app
from tests.conftest import ADMIN_KEY, API_KEY

# From the least to the most; each may do what those before it may.
CALLERS = ("no key", "unknown key", "chat", "teacher", "admin")
LEAST = {"anybody": "no key", "chat": "chat", "teacher": "teacher", "admin": "admin"}

WHO_MAY = {
    "anybody": """
        GET /livez
        GET /readyz
        GET /metrics
        GET /openapi.json
        GET /docs
        GET /docs/oauth2-redirect
        GET /redoc
    """,
    "chat": """
        POST /v1/chat/completions
        POST /v1/completions
        POST /v1/responses
        POST /v1/messages
        POST /v1/messages/count_tokens
        GET /v1/models
        GET /v1/models/{name}
        POST /v1/feedback
    """,
    "teacher": """
        GET /admin/memories
        GET /admin/memories/{memory_id}
        POST /admin/memories/{memory_id}/review
        POST /admin/memories/review
    """,
    "admin": """
        GET /admin/sleep-cycles
        POST /admin/sleep-cycles
        GET /admin/sleep-cycles/{cycle_id}
        POST /admin/sleep-cycles/{cycle_id}/cancel
        GET /admin/adapters
        GET /admin/adapters/{version}
        POST /admin/rollback
        GET /admin/documents
        POST /admin/documents
        GET /admin/documents/{document_id}
        DELETE /admin/documents/{document_id}
        GET /admin/traces
        POST /admin/traces
        GET /admin/traces/{trace_id}
        DELETE /admin/traces/{trace_id}
        DELETE /admin/authors/{name:path}
        GET /admin/keys
        POST /admin/keys
        DELETE /admin/keys/{key_id}
    """,
}
LEAST_CALLER = {
    call.strip(): LEAST[who] for who, calls in WHO_MAY.items() for call in calls.split("\n")
}
del LEAST_CALLER[""]


def calls_of_the_application() -> set[str]:
    """Method and path of each route; `HEAD` is `GET` without the body, and stands under it."""
    found = set()
    for route in iter_route_contexts(create_app().routes):
        # One that has neither is no ordinary route, and needs a test of its own.
        assert route.path is not None, route
        assert route.methods, route
        found |= {f"{method} {route.path}" for method in route.methods - {"HEAD"}}
    return found


def test_it_is_written_down_who_may_call_each_route() -> None:
    assert calls_of_the_application() - LEAST_CALLER.keys() == set()


def test_what_is_written_down_is_there() -> None:
    assert LEAST_CALLER.keys() == calls_of_the_application()


def test_a_call_is_written_down_once() -> None:
    lines = [call.strip() for calls in WHO_MAY.values() for call in calls.split("\n")]
    calls = [line for line in lines if line]
    assert len(calls) == len(set(calls)) == len(LEAST_CALLER)


def filled(path: str) -> str:
    """The path with an id that nobody has in each gap."""
    return "/".join(str(uuid4()) if part.startswith("{") else part for part in path.split("/"))


async def key_of(caller: str, admin: httpx.AsyncClient) -> str | None:
    """The key that such a caller sends."""
    known = {
        "no key": None,
        "unknown key": "dm-that-nobody-has-000",
        "teacher": API_KEY,
        "admin": ADMIN_KEY,
    }
    if caller in known:
        return known[caller]
    reply = await admin.post("/admin/keys", json={"name": "an application", "role": caller})
    key: str = reply.json()["key"]
    return key


@pytest.mark.parametrize("caller", CALLERS)
async def test_each_caller_is_let_in_where_written_down_and_nowhere_else(
    api: str, admin: httpx.AsyncClient, caller: str
) -> None:
    key = await key_of(caller, admin)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    refusals = {401} if caller in ("no key", "unknown key") else {403}
    wrong = []
    async with httpx.AsyncClient(base_url=api, headers=headers, timeout=20) as client:
        for call in sorted(calls_of_the_application()):
            method, path = call.split()
            may = CALLERS.index(caller) >= CALLERS.index(LEAST_CALLER.get(call, "admin"))
            body: dict[str, str] | None = None if method == "GET" else {}
            reply = await client.request(method, filled(path), json=body)
            is_as_written = (
                reply.status_code not in {401, 403} if may else reply.status_code in refusals
            )
            if not is_as_written:
                wrong.append(f"{call}: {reply.status_code}, may call: {may}")
    assert wrong == []


@pytest.mark.parametrize("caller", CALLERS)
async def test_anthropics_header_lets_in_whom_the_other_does(
    api: str, admin: httpx.AsyncClient, caller: str
) -> None:
    key = await key_of(caller, admin)
    headers = {"X-API-Key": key} if key else {}
    async with httpx.AsyncClient(base_url=api, headers=headers, timeout=20) as client:
        statuses = [
            (await client.get(path)).status_code
            for path in ("/v1/models", "/admin/memories", "/admin/keys")
        ]
    expected = {
        "chat": [200, 403, 403],
        "teacher": [200, 200, 403],
        "admin": [200, 200, 200],
    }
    assert statuses == expected.get(caller, [401, 401, 401])
