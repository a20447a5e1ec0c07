"""The awake side's price: chats per second and added time, next to what one would use instead.

In front of one stub engine that streams as fast as it can, with one load generator, in one run: the
stub itself, nginx where it is installed (the floor: what a proxy in C costs), a bare FastAPI and
aiohttp pass-through that records nothing, our API (every reply's trace durable in PostgreSQL before
its end is shown), and LiteLLM's proxy without logging. All share this machine's cores. Rounds
alternate, so that noise meets all; the figures are medians.
"""

import asyncio
import shutil
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer

from bench.gateways import Gateway, gateways
from bench.load import NUM_TOKENS, Load, load
from bench.report import console, save, show
from cli.home import Home
from cli.stack import LocalStack
from shared.settings import Settings

NUM_REAL_STREAMS = 16
REAL_S = 8.0
ADDED = {
    "first_ms": "first byte ms",
    "first_p99_ms": "its p99",
    "token_us": "a token us",
    "token_p99_us": "its p99",
}


def main(
    streams: Annotated[list[int] | None, typer.Option(help="Requests at a time.")] = None,
    rounds: Annotated[int, typer.Option(min=1)] = 3,
    seconds: Annotated[float, typer.Option(help="Of one round.")] = 4.0,
    real_rounds: Annotated[
        int,
        typer.Option(
            min=0,
            help="Then so often real vLLM with 16 streams, directly and through us; one round "
            "differs from the next by a tenth.",
        ),
    ] = 12,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the figures.")] = None,
) -> None:
    """Load each gateway in turn, unary and streaming."""
    place = Home.at(None, None).path / "bench-gateway"
    # A database that earlier runs filled tidies up meanwhile.
    shutil.rmtree(place, ignore_errors=True)
    figures: list[dict[str, Any]] = []
    with gateways(place) as found:
        for stream in (False, True):
            for num_streams in streams or [1, 16, 64, 256]:
                figures += asyncio.run(_compare(found, num_streams, rounds, seconds, stream))
    on_engine = asyncio.run(_on_engine(place, real_rounds)) if real_rounds else {}
    save(json_path, {"figures": figures, "on_engine": on_engine})


async def _compare(
    found: list[Gateway], num_streams: int, rounds: int, seconds: float, stream: bool
) -> list[dict[str, Any]]:
    """One table: every gateway at this load."""
    by_gateway: dict[str, list[Load]] = {gateway.name: [] for gateway in found}
    for gateway in found:
        await _load(gateway, num_streams, 1.0, stream)
    for _ in range(rounds):
        for gateway in found:
            by_gateway[gateway.name].append(await _load(gateway, num_streams, seconds, stream))
    figures: list[dict[str, Any]] = [
        {
            "gateway": name,
            "stream": stream,
            "streams": num_streams,
            "requests_per_s": median(each.requests_per_s for each in loads),
            "first_ms": median(each.first_ms() for each in loads),
            "first_p99_ms": median(each.first_ms(0.99) for each in loads),
            "token_us": median(each.token_us() for each in loads),
            "token_p99_us": median(each.token_us(0.99) for each in loads),
            "total_ms": median(each.total_ms() for each in loads),
            "failed": sum(each.num_failed for each in loads),
        }
        for name, loads in by_gateway.items()
    ]
    stub = figures[0]
    added = ("first_ms", "first_p99_ms", *(("token_us", "token_p99_us") if stream else ()))
    show(
        f"{'streaming' if stream else 'unary'}, {num_streams} at a time; added to the stub's",
        ("", "replies/s", "whole ms", *(ADDED[name] for name in added), "failed"),
        [
            (
                row["gateway"],
                f"{row['requests_per_s']:.0f}",
                f"{row['total_ms']:.1f}",
                *(f"{row[name] - stub[name]:+.1f}" for name in added),
                row["failed"],
            )
            for row in figures
        ],
    )
    console.print()
    return figures


async def _on_engine(place: Path, rounds: int) -> dict[str, float]:
    """Tokens per second of real vLLM, asked directly and through us in turn."""
    with LocalStack(place / "real", assets=Home.at(None, None).path) as stack:
        stack.start()
        env = stack.env
        found = {
            "directly": Gateway(
                "directly",
                env["DORMOUSE_ENGINE_URL"],
                Settings().base_model_name,
                env["DORMOUSE_ENGINE_API_KEY"],
            ),
            "through Dormouse": Gateway("through Dormouse", stack.url, key=stack.api_key),
        }
        speeds: dict[str, list[float]] = {name: [] for name in found}
        for number in range(rounds + 1):
            # Each goes first as often as second.
            order = list(found.items())[:: -1 if number % 2 else 1]
            for name, gateway in order:
                load_ = await _load(gateway, NUM_REAL_STREAMS, REAL_S, True, ignore_eos=True)
                speeds[name].append(load_.requests_per_s * NUM_TOKENS)
    # The first round warms up.
    medians = {name: median(each[1:]) for name, each in speeds.items()}
    ratio = medians["through Dormouse"] / medians["directly"]
    show(
        f"real vLLM, {NUM_REAL_STREAMS} streams",
        ("", "tokens/s", "of direct"),
        [
            (name, f"{each:.0f}", f"{each / medians['directly']:.3f}")
            for name, each in medians.items()
        ],
    )
    return {**medians, "ratio": ratio}


async def _load(
    gateway: Gateway, num_streams: int, seconds: float, stream: bool, **fields: Any
) -> Load:
    return await load(
        gateway.url,
        gateway.key,
        gateway.model,
        num_streams=num_streams,
        seconds=seconds,
        stream=stream,
        **fields,
    )


if __name__ == "__main__":
    typer.run(main)
