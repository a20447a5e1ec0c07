"""One pooled HTTP client to the engine. Names given to it are ours, never a client's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, NoReturn, Self

import aiohttp
import orjson

from shared.errors import EngineError, EngineRejectedError, EngineUnavailableError
from shared.settings import Settings

# A load reads a file and copies it; nothing else that is not generation takes long.
CONTROL_TIMEOUT_S = 30.0
# vLLM closes a connection that was idle for five seconds; a request that is sent on it in that
# moment would be lost.
IDLE_S = 2.0
# Client traffic has priority 0; higher numbers wait (vLLM's priority scheduling).
LOW_PRIORITY = 10
# The engine is not there, or no longer.
GONE = (aiohttp.ClientError, TimeoutError, ConnectionError)


class EngineClient:
    """vLLM's OpenAI server.

    Args:
        settings: Addresses, key and timeouts.
        url: Which of the engines; the first one unless it is given.
    """

    def __init__(self, settings: Settings, url: str | None = None) -> None:
        headers = {"Content-Type": "application/json"}
        if settings.engine_api_key is not None:
            headers["Authorization"] = f"Bearer {settings.engine_api_key.get_secret_value()}"
        self._whole_timeout = aiohttp.ClientTimeout(
            total=None,
            sock_connect=settings.engine_connect_timeout_s,
            sock_read=settings.engine_reply_timeout_s,
        )
        self._session = aiohttp.ClientSession(
            base_url=(url or settings.engine_urls[0]).rstrip("/") + "/",
            headers=headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_S),
            timeout=aiohttp.ClientTimeout(
                total=None,
                sock_connect=settings.engine_connect_timeout_s,
                sock_read=settings.engine_idle_timeout_s,
            ),
            read_bufsize=2**18,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def begin(
        self, path: str, body: dict[str, Any], *, whole: bool = False
    ) -> aiohttp.ClientResponse:
        """Post a body and return its reply's beginning; to release it aborts the generation.

        Of a `whole` reply, no stream, nothing comes until all of it is there: it may take longer.

        Raises:
            EngineUnavailableError: If the engine does not answer.
            EngineRejectedError: If it refuses the request.
            EngineError: If it fails.
        """
        timeout = self._whole_timeout if whole else self._session.timeout
        try:
            content = aiohttp.BytesPayload(orjson.dumps(body))
            response = await self._session.post(path, data=content, timeout=timeout)
            if response.status >= 400:
                async with response:
                    await _complain(response)
        except GONE as error:
            raise EngineUnavailableError(
                f"The engine does not answer ({type(error).__name__}). Try again shortly."
            ) from error
        return response

    @asynccontextmanager
    async def open(
        self, path: str, body: dict[str, Any], *, whole: bool = False
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """As `begin`, for the length of the block.

        Raises:
            EngineUnavailableError: If the engine does not answer or stops answering.
            EngineError: As `begin` does.
        """
        async with await self.begin(path, body, whole=whole) as response:
            try:
                yield response
            except GONE as error:
                raise _stopped(error) from error

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Post a body and return the whole reply. Raises as `open` does."""
        async with await self.begin(path, body, whole=True) as response:
            return await whole_reply(response)

    async def models(self) -> set[str]:
        """Every name that the engine answers to now.

        Raises:
            EngineUnavailableError: If it does not answer.
        """
        try:
            async with self._session.get(
                "v1/models", timeout=aiohttp.ClientTimeout(total=CONTROL_TIMEOUT_S)
            ) as response:
                if response.status >= 400:
                    await _complain(response)
                reply = await response.json()
        except GONE as error:
            raise EngineUnavailableError(
                f"The engine does not answer ({type(error).__name__})."
            ) from error
        return {model["id"] for model in reply["data"]}

    async def load_adapter(self, name: str, path: str) -> None:
        """Load an adapter under a new name. A 200 does not prove that it acts: probe it."""
        async with self.open(
            "v1/load_lora_adapter", {"lora_name": name, "lora_path": path}
        ) as response:
            await response.read()

    async def unload_adapter(self, name: str) -> None:
        """Forget a name."""
        async with self.open("v1/unload_lora_adapter", {"lora_name": name}) as response:
            await response.read()

    async def chat(
        self, model: str, messages: list[dict[str, Any]], **options: Any
    ) -> dict[str, Any]:
        """One whole chat completion."""
        return await self.post(
            "v1/chat/completions", {"model": model, "messages": messages, **options}
        )

    async def complete(self, model: str, prompt: list[int] | str, **options: Any) -> dict[str, Any]:
        """One whole completion of a raw prompt."""
        return await self.post("v1/completions", {"model": model, "prompt": prompt, **options})

    async def tokenize(self, model: str, messages: list[dict[str, Any]]) -> list[int]:
        """The token ids of a rendered conversation that ends with an assistant message."""
        ends_with_reply = messages[-1]["role"] == "assistant"
        reply = await self.post(
            "tokenize",
            {
                "model": model,
                "messages": messages,
                "add_generation_prompt": not ends_with_reply,
            },
        )
        tokens: list[int] = reply["tokens"]
        return tokens

    async def logprobs(self, model: str, token_ids: list[int], **options: Any) -> list[float]:
        """The log-probability of every token after the first, nats.

        Args:
            model: An engine-side name.
            token_ids: The whole sequence.
            **options: More fields of the request.

        Returns:
            `len(token_ids) - 1` values: each token given those before it.

        Raises:
            EngineError: If the reply has no usable values.
        """
        reply = await self.complete(
            model, token_ids, max_tokens=1, temperature=0, prompt_logprobs=0, **options
        )
        entries = reply["choices"][0].get("prompt_logprobs") or []
        if len(entries) != len(token_ids):
            raise EngineError("The engine returned no prompt_logprobs; is it vLLM 0.32?")
        return [
            float(entry[str(token)]["logprob"])
            for entry, token in zip(entries[1:], token_ids[1:], strict=True)
        ]


async def whole_reply(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """A reply that is no stream.

    Raises:
        EngineUnavailableError: If the engine stops answering.
        EngineError: If it is not a JSON object.
    """
    try:
        reply = orjson.loads(await response.read())
    except GONE as error:
        raise _stopped(error) from error
    except ValueError as error:
        raise EngineError("The engine's reply is not JSON.") from error
    if not isinstance(reply, dict):
        raise EngineError("The engine's reply is not a JSON object.")
    return reply


def _stopped(error: Exception) -> EngineUnavailableError:
    return EngineUnavailableError(f"The engine stopped answering ({type(error).__name__}).")


async def _complain(response: aiohttp.ClientResponse) -> NoReturn:
    """Raise what an error status means."""
    message, param = await _complaint(response)
    if response.status in (401, 403):
        raise EngineError("The engine refused our key; check DORMOUSE_ENGINE_API_KEY.")
    if response.status < 500:
        raise EngineRejectedError(message, status_code=response.status, param=param)
    if response.status == 503:
        raise EngineUnavailableError(f"The engine is not ready: {message}")
    raise EngineError(f"The engine failed with status {response.status}: {message}")


async def _complaint(response: aiohttp.ClientResponse) -> tuple[str, str | None]:
    """The engine's words, whatever shape they come in."""
    try:
        body = await response.json(content_type=None)
    except ValueError:
        return (await response.text())[:500] or response.reason or "no reason given", None
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return str(error)[:500], None
    return str(error.get("message", error))[:2000], error.get("param")
