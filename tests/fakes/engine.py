"""A stand-in for vLLM at its HTTP port: answers by rule, and can be told to misbehave."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

BASE = "SmolLM2-135M-Instruct"


class FakeEngine:
    """An OpenAI server with a switch for every fault that the tests need.

    `answer` maps (model, last user text) to the reply; `bodies` holds what was asked.
    """

    def __init__(self) -> None:
        self.answer: Callable[[str, str], str] = lambda model, text: f"{model} says {text}"
        self.adapters: dict[str, str] = {}
        self.bodies: list[dict[str, Any]] = []
        self.num_aborted = 0
        self.chunk_delay_s = 0.0
        self.breaks_after: int | None = None
        self.logprob: Callable[[str], float] = lambda model: -1.0
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/v1/completions", self._complete)
        app.router.add_post("/v1/responses", self._respond)
        app.router.add_post("/v1/messages", self._message)
        app.router.add_post("/tokenize", self._tokenize)
        app.router.add_post("/v1/load_lora_adapter", self._load)
        app.router.add_post("/v1/unload_lora_adapter", self._unload)
        self._runner = web.AppRunner(app, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", int(self.url.rpartition(":")[2] or 0))
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def restart(self) -> None:
        """Like the real one: everything that was loaded is forgotten."""
        await self.stop()
        self.adapters.clear()
        await self.start()

    async def _models(self, request: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": name} for name in [BASE, *self.adapters]]})

    async def _load(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.adapters[body["lora_name"]] = body["lora_path"]
        return web.Response(text="Success")

    async def _unload(self, request: web.Request) -> web.Response:
        self.adapters.pop((await request.json())["lora_name"], None)
        return web.Response(text="Success")

    async def _tokenize(self, request: web.Request) -> web.Response:
        said = " ".join(m["content"] for m in (await request.json())["messages"])
        return web.json_response({"tokens": list(range(1 + len(said.split())))})

    async def _complete(self, request: web.Request) -> web.Response:
        body = await request.json()
        if isinstance(body["prompt"], str):
            self.bodies.append(body)
            choice = {"index": 0, "text": " and three", "finish_reason": "stop"}
            choice |= {"token_ids": [5, 6], "prompt_token_ids": [7, 8]}
            return web.json_response(
                {"id": "cmpl-1", "model": body["model"], "choices": [choice], "usage": usage(2)}
            )
        value = self.logprob(body["model"])
        entries = [None] + [{str(token): {"logprob": value}} for token in body["prompt"][1:]]
        return web.json_response({"choices": [{"text": "", "prompt_logprobs": entries}]})

    async def _respond(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.bodies.append(body)
        content = [{"type": "output_text", "text": "Paris."}]
        return web.json_response(
            {
                "id": body["request_id"],
                "status": "completed",
                "model": body["model"],
                "output": [{"type": "message", "role": "assistant", "content": content}],
            }
        )

    async def _message(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.bodies.append(body)
        if body.get("temperature", 0) < 0:
            error = {"type": "BadRequestError", "message": f"{body['model']}: temperature"}
            return web.json_response({"type": "error", "error": error}, status=400)
        return web.json_response(
            {
                "id": "msg-1",
                "type": "message",
                "role": "assistant",
                "model": body["model"],
                "content": [{"type": "text", "text": "Paris."}],
                "stop_reason": "end_turn",
                "usage": {"input_tokens": 2, "output_tokens": 1},
            }
        )

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        if body["model"] not in (BASE, *self.adapters):
            error = {"message": f"The model `{body['model']}` does not exist.", "code": 404}
            return web.json_response({"error": error}, status=404)
        if body.get("temperature", 0) < 0:
            error = {"message": f"{body['model']}: temperature must be at least 0"}
            return web.json_response({"error": error}, status=400)
        words = self.answer(body["model"], body["messages"][-1]["content"]).split(" ")
        if body.get("stream"):
            return await self._stream(request, body, words)
        await asyncio.sleep(self.chunk_delay_s)
        choices = [
            {
                "index": index,
                "message": {"role": "assistant", "content": " ".join(words)},
                "finish_reason": "stop",
                "token_ids": list(range(len(words))),
            }
            for index in range(body.get("n") or 1)
        ]
        return web.json_response(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1,
                "model": body["model"],
                "choices": choices,
                "prompt_token_ids": [7, 8],
                "usage": usage(len(words)),
            }
        )

    async def _stream(
        self, request: web.Request, body: dict[str, Any], words: list[str]
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1}
        head["model"] = body["model"]
        try:
            for number, word in enumerate(words):
                if number == self.breaks_after:
                    assert request.transport is not None
                    request.transport.close()
                    return response
                last = number == len(words) - 1
                choice = {
                    "index": 0,
                    "delta": {"content": word if last else word + " "},
                    "finish_reason": "stop" if last else None,
                    "token_ids": [number],
                }
                await send(response, {**head, "choices": [choice]})
                await asyncio.sleep(self.chunk_delay_s)
            if (body.get("stream_options") or {}).get("include_usage"):
                await send(response, {**head, "choices": [], "usage": usage(len(words))})
            await response.write(b"data: [DONE]\n\n")
        except (asyncio.CancelledError, ConnectionResetError):
            self.num_aborted += 1
            raise
        return response


def usage(num_tokens: int) -> dict[str, int]:
    return {"prompt_tokens": 2, "completion_tokens": num_tokens, "total_tokens": 2 + num_tokens}


async def send(response: web.StreamResponse, content: dict[str, Any]) -> None:
    await response.write(b"data: " + json.dumps(content).encode() + b"\n\n")
