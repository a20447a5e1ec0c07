"""Documents over HTTP: queued once, shown without their text, kept apart by tenant."""

from uuid import uuid4

import httpx
import pytest

TEXT = "Drumlin was founded by Selma Rooke."


async def test_a_document_is_queued_and_the_same_text_again_is_the_same_document(
    admin: httpx.AsyncClient,
) -> None:
    first = await admin.post("/admin/documents", json={"title": "Handbook", "text": TEXT})
    assert first.status_code == 202
    document = first.json()
    assert (document["state"], document["num_chars"]) == ("queued", len(TEXT))
    assert "text" not in document
    again = await admin.post("/admin/documents", json={"title": "Copy", "text": TEXT})
    assert again.json() == document
    assert (await admin.get(f"/admin/documents/{document['id']}")).json() == document
    assert (await admin.get("/admin/documents")).json() == {"data": [document]}


async def test_another_tenant_sees_nothing_of_it(
    admin: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    document = (await admin.post("/admin/documents", json={"title": "T", "text": TEXT})).json()
    assert (await stranger.get(f"/admin/documents/{document['id']}")).status_code == 404
    assert (await stranger.get("/admin/documents")).json() == {"data": []}
    own = await stranger.post("/admin/documents", json={"title": "T", "text": TEXT})
    assert own.json()["id"] != document["id"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"title": "T"}, 400),
        ({"title": "", "text": TEXT}, 400),
        ({"title": "T", "text": ""}, 400),
        ({"title": "T", "text": "a" * 200_001}, 400),
        ({"title": "T", "text": "a\0b"}, 400),
        ({"title": "T", "text": TEXT, "model": "nobody"}, 404),
    ],
)
async def test_what_cannot_be_studied_is_an_error(
    admin: httpx.AsyncClient, body: dict[str, str], status: int
) -> None:
    reply = await admin.post("/admin/documents", json=body)
    assert reply.status_code == status
    assert reply.json()["error"]["message"]


async def test_a_chat_key_may_not(client: httpx.AsyncClient, admin: httpx.AsyncClient) -> None:
    body = {"title": "T", "text": TEXT}
    assert (await client.post("/admin/documents", json=body)).status_code == 403
    assert (await admin.get(f"/admin/documents/{uuid4()}")).status_code == 404
