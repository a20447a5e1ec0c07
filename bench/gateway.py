"""The awake side's price: chats per second and added time, next to what one would use instead.

In front of one stub engine that streams as fast as it can, with one load generator, in one run: the
stub itself, a bare FastAPI and aiohttp pass-through that records nothing, our API (every reply's
trace durable in PostgreSQL before its end is shown), and LiteLLM's proxy without logging. All share
this machine's cores. Rounds alternate, so that noise meets all; the figures are medians.
"""

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer

from bench.load import NUM_TOKENS, Load, load
from bench.report import console, save, show
from bench.stub_engine import MODEL
from cli.home import Home
from cli.stack import LocalStack
from shared.settings import Settings

READY_TIMEOUT_S = 90.0
KEY = "sk-bench"
NUM_REAL_STREAMS = 16
REAL_S = 8.0


@dataclass(frozen=True)
class Gateway:
    """Somebody in front of the stub."""

    name: str
    url: str
    model: str = "default"
    key: str = KEY


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def running(argv: list[str], health: str, log: Path, **env: str) -> Iterator[None]:
    """A process, until it answers and then to the end of the block."""
    surroundings = {**os.environ, "NO_PROXY": "127.0.0.1", **env}
    with log.open("wb") as output:
        process = subprocess.Popen(
            argv, env=surroundings, stdout=output, stderr=output, start_new_session=True
        )
        try:
            deadline = time.monotonic() + READY_TIMEOUT_S
            while not _answers(health):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{argv[0]} did not start; see {log}")
                time.sleep(0.3)
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status < 500)
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


@contextmanager
def gateways(place: Path) -> Iterator[list[Gateway]]:
    """All of them, running."""
    place.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stub, bare, lite = (free_port() for _ in range(3))
        stub_url = f"http://127.0.0.1:{stub}"
        stack.enter_context(
            running(
                [sys.executable, "-m", "bench.stub_engine", str(stub)],
                f"{stub_url}/health",
                place / "stub.log",
            )
        )
        found = [Gateway("the stub itself", stub_url)]
        stack.enter_context(
            running(
                [*_uvicorn("bench.pass_through:app"), "--port", str(bare)],
                f"http://127.0.0.1:{bare}/docs",
                place / "bare.log",
                STUB_URL=stub_url,
            )
        )
        found.append(Gateway("bare pass-through", f"http://127.0.0.1:{bare}"))
        ours = LocalStack(
            place / "stack",
            env={"DORMOUSE_ENGINE_URL": stub_url, "DORMOUSE_BASE_MODEL_NAME": MODEL},
            assets=Home.at(None, None).path,
        )
        stack.enter_context(ours).start()
        found.append(Gateway("Dormouse, traces durable", ours.url, key=ours.api_key))
        proxy = Home.at(None, None).path / "litellm-venv" / "bin" / "litellm"
        if proxy.exists():
            stack.enter_context(_litellm(proxy, stub_url, lite, place))
            found.append(Gateway("LiteLLM's proxy, no logging", f"http://127.0.0.1:{lite}"))
        yield found


def _uvicorn(app: str) -> list[str]:
    return [sys.executable, "-m", "uvicorn", app, "--host", "127.0.0.1", "--no-access-log"]


@contextmanager
def _litellm(proxy: Path, stub_url: str, port: int, place: Path) -> Iterator[None]:
    config = place / "litellm.yaml"
    config.write_text(
        "model_list:\n"
        "  - model_name: default\n"
        "    litellm_params:\n"
        f"      model: openai/{MODEL}\n"
        f"      api_base: {stub_url}/v1\n"
        "      api_key: none\n"
    )
    argv = [str(proxy), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    with running(
        argv,
        f"http://127.0.0.1:{port}/health/liveliness",
        place / "litellm.log",
        LITELLM_MASTER_KEY=KEY,
        LITELLM_LOCAL_MODEL_COST_MAP="True",
        LITELLM_LOG="ERROR",
    ):
        yield


def main(
    streams: Annotated[list[int] | None, typer.Option(help="Requests at a time.")] = None,
    rounds: Annotated[int, typer.Option(min=1)] = 3,
    seconds: Annotated[float, typer.Option(help="Of one round.")] = 4.0,
    real: Annotated[
        bool, typer.Option(help="Then real vLLM with 16 streams, directly and through us.")
    ] = True,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the figures.")] = None,
) -> None:
    """Load each gateway in turn, unary and streaming."""
    place = Home.at(None, None).path / "bench-gateway"
    figures: list[dict[str, Any]] = []
    with gateways(place) as found:
        for stream in (False, True):
            for num_streams in streams or [1, 16, 64, 256]:
                figures += asyncio.run(_compare(found, num_streams, rounds, seconds, stream))
    on_engine = asyncio.run(_on_engine(place, rounds)) if real else {}
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
            "total_ms": median(each.total_ms() for each in loads),
            "failed": sum(each.num_failed for each in loads),
        }
        for name, loads in by_gateway.items()
    ]
    floor = figures[0]
    kind = "streaming" if stream else "unary"
    show(
        f"{kind}, {num_streams} at a time",
        ("", "replies/s", "first byte ms", "added", "p99", "whole ms", "failed"),
        [
            (
                row["gateway"],
                f"{row['requests_per_s']:.0f}",
                f"{row['first_ms']:.1f}",
                f"{row['first_ms'] - floor['first_ms']:.1f}",
                f"{row['first_p99_ms']:.1f}",
                f"{row['total_ms']:.1f}",
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
        for _ in range(rounds + 1):
            for name, gateway in found.items():
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
    sys.argv[0] = "python -m bench.gateway"
    typer.run(main)
