"""A load generator: streams at once, each sends its next request when the last one has ended."""

import asyncio
import json
import time
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

import aiohttp

MESSAGES = [{"role": "user", "content": "Tell me about the sea, and the people who live by it."}]
NUM_TOKENS = 64
PATH = "/v1/chat/completions"


@dataclass
class Load:
    """What a round of load found.

    Attributes:
        num_ended: Replies that were whole.
        num_failed: Replies that were not.
        seconds: How long the round took.
        first_s: Seconds to the first byte of each reply's body.
        total_s: Seconds of each whole reply.
    """

    num_ended: int = 0
    num_failed: int = 0
    seconds: float = 0.0
    first_s: list[float] = field(default_factory=list)
    total_s: list[float] = field(default_factory=list)

    @property
    def requests_per_s(self) -> float:
        """Whole replies per second."""
        return self.num_ended / self.seconds

    def first_ms(self, share: float = 0.5) -> float:
        """A quantile of the time to the first byte, milliseconds."""
        return 1000 * _quantile(self.first_s, share)

    def token_us(self, share: float = 0.5) -> float:
        """A quantile of the time from a reply's first byte to its end, microseconds per token."""
        pairs = zip(self.first_s, self.total_s, strict=True)
        return 1e6 * _quantile([(total - first) / NUM_TOKENS for first, total in pairs], share)

    def total_ms(self, share: float = 0.5) -> float:
        """A quantile of the time of a whole reply, milliseconds."""
        return 1000 * _quantile(self.total_s, share)


def _quantile(values: list[float], share: float) -> float:
    if len(values) < 2:
        return values[0] if values else float("nan")
    return median(values) if share == 0.5 else quantiles(values, n=100)[round(100 * share) - 1]


async def load(
    url: str,
    key: str,
    model: str,
    *,
    num_streams: int,
    seconds: float,
    stream: bool,
    **fields: Any,
) -> Load:
    """Ask for `seconds` with `num_streams` requests at a time; what has begun is waited for.

    `fields` are added to the body.
    """
    body = {
        "model": model,
        "messages": MESSAGES,
        "max_tokens": NUM_TOKENS,
        "stream": stream,
        **fields,
    }
    content = json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    found = Load()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(url, headers=headers, connector=connector) as session:
        began = time.monotonic()

        async def ask_on() -> None:
            while time.monotonic() - began < seconds:
                await _ask(session, content, found, stream=stream)

        await asyncio.gather(*(ask_on() for _ in range(num_streams)))
        found.seconds = time.monotonic() - began
    return found


async def _ask(
    session: aiohttp.ClientSession, content: bytes, found: Load, *, stream: bool
) -> None:
    asked = time.monotonic()
    first = None
    end = b""
    try:
        async with session.post(PATH, data=content) as response:
            async for piece in response.content.iter_any():
                first = first or time.monotonic()
                end = (end + piece)[-64:]
            whole = response.status == 200 and (b"[DONE]" in end or not stream)
    except aiohttp.ClientError:
        whole = False
    if whole and first is not None:
        found.num_ended += 1
        found.first_s.append(first - asked)
        found.total_s.append(time.monotonic() - asked)
    else:
        found.num_failed += 1
