"""What the API says of itself can be used as it is."""

import json

import httpx


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
