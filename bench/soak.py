"""Does the API grow? A hundred thousand chats in front of a stub engine, and its memory."""

import asyncio
from pathlib import Path
from typing import Annotated

import psutil
import typer

from bench.load import load
from bench.report import console, save, show
from bench.stubbed import stubbed
from cli.home import Home
from cli.stack import LocalStack

NUM_STREAMS = 64
NUM_STEPS = 10
ROUND_S = 2.0


def megabytes(pid: int) -> float:
    """Resident memory of a process and its children."""
    process = psutil.Process(pid)
    family = [process, *process.children(recursive=True)]
    return float(sum(member.memory_info().rss for member in family)) / 1e6


async def _soak(stack: LocalStack, num_requests: int) -> list[dict[str, float]]:
    """Whole replies and streams in turn; the memory after each tenth."""
    figures: list[dict[str, float]] = []
    num_ended = 0
    rounds = 0
    while num_ended < num_requests:
        found = await load(
            stack.url,
            stack.api_key,
            "default",
            num_streams=NUM_STREAMS,
            seconds=ROUND_S,
            stream=rounds % 2 == 0,
        )
        if found.num_failed:
            raise SystemExit(f"{found.num_failed} chats failed")
        rounds += 1
        num_ended += found.num_ended
        if num_ended >= len(figures) * num_requests / NUM_STEPS:
            figures.append({"requests": num_ended, "megabytes": megabytes(stack.pid("api"))})
            console.print(f"[dim]{num_ended:,} chats, {figures[-1]['megabytes']:.0f} MB[/]")
    return figures


def main(
    requests: Annotated[int, typer.Option(min=NUM_STEPS)] = 100_000,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the figures.")] = None,
) -> None:
    """Chat, and look at the API's memory on the way."""
    with stubbed(Home.at(None, None).path / "bench-soak") as stack:
        figures = asyncio.run(_soak(stack, requests))
    show(
        "memory of the API",
        ("chats", "MB"),
        [(f"{item['requests']:,.0f}", f"{item['megabytes']:.0f}") for item in figures],
    )
    save(json_path, {"figures": figures})


if __name__ == "__main__":
    typer.run(main)
