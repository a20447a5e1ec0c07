"""What a gateway costs at least in our framework: FastAPI and aiohttp, nothing read or recorded.

`STUB_URL=... uvicorn bench.pass_through:app`
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(os.environ["STUB_URL"], connector=connector) as session:
        app.state.session = session
        yield


app = FastAPI(lifespan=_lifespan)


@app.post("/v1/chat/completions")
async def chat(request: Request) -> Response:
    """The body as it came, the reply as it comes."""
    body = await request.body()
    upstream = await app.state.session.post(
        "/v1/chat/completions", data=body, headers={"Content-Type": "application/json"}
    )
    if upstream.content_type != "text/event-stream":
        async with upstream:
            return Response(await upstream.read(), media_type="application/json")

    async def pieces() -> AsyncIterator[bytes]:
        async with upstream:
            async for piece in upstream.content.iter_any():
                yield piece

    return StreamingResponse(pieces(), media_type="text/event-stream")
