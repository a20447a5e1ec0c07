"""An engine that costs nothing: fixed replies in vLLM's words, as fast as they can be written.

`python -m bench.stub_engine PORT`
"""

import json
import sys
from typing import Any

from aiohttp import web

NUM_CHUNKS = 64
MODEL = "smollm2-135m-instruct"
USAGE = {"prompt_tokens": 40, "completion_tokens": NUM_CHUNKS, "total_tokens": 40 + NUM_CHUNKS}
HEAD = {"id": "chatcmpl-stub", "created": 1, "model": MODEL}


def _event(content: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(content, separators=(",", ":")).encode() + b"\n\n"


def _chunk(delta: dict[str, Any], finish_reason: str | None = None, **fields: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    head = {**HEAD, "object": "chat.completion.chunk"}
    return _event({**head, "choices": [{**choice, **fields}]})


STREAM = [
    _chunk({"role": "assistant", "content": ""}, token_ids=None),
    *(_chunk({"content": " word"}, token_ids=[2988 + i]) for i in range(NUM_CHUNKS - 1)),
    _chunk({"content": "."}, "stop", token_ids=[30]),
    _event({**HEAD, "object": "chat.completion.chunk", "choices": [], "usage": USAGE}),
    b"data: [DONE]\n\n",
]
WHOLE = json.dumps(
    {
        **HEAD,
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": " word" * (NUM_CHUNKS - 1) + "."},
                "finish_reason": "stop",
                "token_ids": list(range(NUM_CHUNKS)),
            }
        ],
        "prompt_token_ids": list(range(40)),
        "usage": USAGE,
    }
).encode()


async def _chat(request: web.Request) -> web.StreamResponse:
    if not json.loads(await request.read()).get("stream"):
        return web.Response(body=WHOLE, content_type="application/json")
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for piece in STREAM:
        await response.write(piece)
    return response


async def _models(request: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": [{"id": MODEL, "object": "model"}]})


def main(port: int) -> None:
    """Serve until told to end."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", _chat)
    app.router.add_get("/v1/models", _models)
    app.router.add_get("/health", _models)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
