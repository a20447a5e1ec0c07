"""What the API says of itself can be used as it is."""

import json

import httpx
from fastapi.routing import APIRoute

from api.chat.routes import router
from api.chat.shortcut import ENDPOINTS


async def test_the_schema_has_no_reference_that_leads_nowhere(client: httpx.AsyncClient) -> None:
    schema = (await client.get("/openapi.json")).json()
    text = json.dumps(schema)
    named = {part.split('"')[0] for part in text.split('"$ref": "')[1:]}
    known = {f"#/components/schemas/{name}" for name in schema["components"]["schemas"]}
    assert named <= known
    body = schema["paths"]["/v1/chat/completions"]["post"]["requestBody"]
    message = body["content"]["application/json"]["schema"]["properties"]["messages"]["items"]
    assert "role" in message["properties"]


async def test_every_call_says_how_its_errors_look(client: httpx.AsyncClient) -> None:
    schema = (await client.get("/openapi.json")).json()
    for path, calls in schema["paths"].items():
        for call in calls.values():
            assert {"4XX", "5XX"} <= set(call["responses"]), path
            assert "422" not in call["responses"], path


async def test_a_method_that_is_not_there_is_told_which_are(client: httpx.AsyncClient) -> None:
    reply = await client.delete("/v1/models")
    assert (reply.status_code, reply.headers["Allow"]) == (405, "GET")
    assert reply.json()["error"]["message"]


async def test_numbers_and_names_that_cannot_be_are_the_clients_fault(
    admin: httpx.AsyncClient,
) -> None:
    for path in (
        f"/admin/adapters/{2**70}",
        "/admin/adapters/0",
        "/admin/adapters/1?model=%00",
        "/admin/traces?model=%00",
        "/v1/models/%00",
    ):
        assert (await admin.get(path)).status_code == 400, path
    reply = await admin.post("/admin/rollback", json={"to": 2**70})
    assert reply.status_code == 400


def test_the_shortcut_leads_where_the_documented_routes_lead() -> None:
    routes = {
        route.path: route.endpoint
        for route in router.routes
        if isinstance(route, APIRoute) and route.openapi_extra and "POST" in (route.methods or ())
    }
    del routes["/v1/messages/count_tokens"]
    assert routes == ENDPOINTS
