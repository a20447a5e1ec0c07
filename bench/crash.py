"""Ten bad minutes: chats all the time while API, PostgreSQL and Valkey are killed with -9 in turn.

In front of a stub engine. Every reply that a client saw end must have exactly one trace: in
PostgreSQL, once the spool has been replayed. Refusals and broken streams are counted; they are no
loss, since the client knows.
"""

import asyncio
import itertools
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import typer
from sqlalchemy import create_engine, text

from bench.load import MESSAGES, PATH
from bench.report import save, show
from bench.stubbed import stubbed
from cli.errors import StackError
from cli.home import Home
from cli.stack import LocalStack
from shared.storage.spool import TraceSpool

VICTIMS = ("api", "postgres", "valkey")
# A client that was refused tries again after so long.
PAUSE_S = 0.2
# What is in the spool then must have been replayed by so long after the last kill.
REPLAY_TIMEOUT_S = 120.0


class Clients:
    """Streams at once; each remembers the trace of every reply that it saw end.

    Args:
        stack: Whom they chat with.
        stopped: Ends them once set; what has begun is waited for.
    """

    def __init__(self, stack: LocalStack, stopped: asyncio.Event) -> None:
        self._url = stack.url
        self._headers = {"Authorization": f"Bearer {stack.api_key}"}
        self._stopped = stopped
        self.seen: list[str] = []
        self.outcomes: Counter[str] = Counter()

    async def chat(self, num_streams: int) -> None:
        """Ask on until stopped; every other stream asks for whole replies."""
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(
            self._url, headers=self._headers, connector=connector
        ) as session:
            asking = (self._ask_on(session, stream=n % 2 == 0) for n in range(num_streams))
            await asyncio.gather(*asking)

    async def _ask_on(self, session: aiohttp.ClientSession, *, stream: bool) -> None:
        while not self._stopped.is_set():
            outcome = await self._ask(session, stream=stream)
            self.outcomes[outcome] += 1
            if outcome != "ended":
                await asyncio.sleep(PAUSE_S)

    async def _ask(self, session: aiohttp.ClientSession, *, stream: bool) -> str:
        body = {"model": "default", "messages": MESSAGES, "stream": stream}
        try:
            async with session.post(PATH, json=body) as response:
                content = await response.read()
        except (aiohttp.ClientError, TimeoutError):
            return "broken"
        if response.status != 200:
            return f"refused {response.status}"
        if stream and b"[DONE]" not in content[-64:]:
            return "broken"
        self.seen.append(response.headers["X-Dormouse-Trace"])
        return "ended"


async def _accidents(stack: LocalStack, minutes: float, every_s: float) -> Counter[str]:
    """Kill one after another; they come back by themselves."""
    ends = time.monotonic() + 60 * minutes
    killed: Counter[str] = Counter()
    for victim in itertools.cycle(VICTIMS):
        await asyncio.sleep(min(every_s, max(ends - time.monotonic(), 0)))
        if time.monotonic() >= ends:
            return killed
        try:
            await asyncio.to_thread(stack.kill, victim)
            killed[victim] += 1
        except StackError:
            # It is on its way back from the last time.
            continue
    return killed


async def _run(stack: LocalStack, minutes: float, every_s: float, streams: int) -> dict[str, Any]:
    stopped = asyncio.Event()
    clients = Clients(stack, stopped)
    chatting = asyncio.create_task(clients.chat(streams))
    killed = await _accidents(stack, minutes, every_s)
    stopped.set()
    await chatting
    for name in VICTIMS:
        await asyncio.to_thread(stack.wait_ready, name)
    lost, doubled = await asyncio.to_thread(_without_trace, stack, clients.seen)
    return {
        "minutes": minutes,
        "streams": streams,
        "killed": dict(killed),
        "outcomes": dict(clients.outcomes),
        "seen_ended": len(clients.seen),
        "without_trace": lost,
        "with_several": doubled,
    }


def _without_trace(stack: LocalStack, seen: list[str]) -> tuple[int, int]:
    """Of the replies seen, how many have no trace, and how many have more than one.

    A trace's id is the primary key: more than one would be two replies under one id.
    """
    engine = create_engine(stack.env["DORMOUSE_DATABASE_URL"])
    spool = TraceSpool(Path(stack.env["DORMOUSE_SPOOL_DIR"]), max_bytes=0)
    deadline = time.monotonic() + REPLAY_TIMEOUT_S
    while len(spool) and time.monotonic() < deadline:
        time.sleep(0.5)
    with engine.connect() as connection:
        kept = {str(row[0]) for row in connection.execute(text("SELECT id FROM traces"))}
    engine.dispose()
    return len(set(seen) - kept), len(seen) - len(set(seen))


def main(
    minutes: Annotated[float, typer.Option(min=0.1)] = 10.0,
    every: Annotated[float, typer.Option(help="Seconds between kills.")] = 30.0,
    streams: Annotated[int, typer.Option(min=1, help="Chats at a time.")] = 64,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the figures.")] = None,
) -> None:
    """Chat, kill, and count."""
    with stubbed(Home.at(None, None).path / "bench-crash") as stack:
        figures = asyncio.run(_run(stack, minutes, every, streams))
    show(
        f"{minutes:g} minutes of {streams} chats at a time",
        ("", "number"),
        [
            *((f"{name} killed", number) for name, number in figures["killed"].items()),
            *((f"chats {name}", number) for name, number in sorted(figures["outcomes"].items())),
            ("replies seen to end", figures["seen_ended"]),
            ("of them without a trace", figures["without_trace"]),
            ("of them with several", figures["with_several"]),
        ],
    )
    save(json_path, figures)
    if figures["without_trace"] or figures["with_several"]:
        raise SystemExit(1)


if __name__ == "__main__":
    typer.run(main)
