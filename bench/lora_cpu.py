"""LoRA on CPU: tokens per second of the base, of vLLM's own LoRA and of ours, on real vLLM.

Two engines in turn, one with the plugin and one without; each answers the same requests with the
base, with an adapter in the shape that the trainer gives it, and with one on all linear layers,
both of rank 16. Rounds alternate between them; the figures are medians over
rounds.
"""

import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Annotated

import aiohttp
import typer

from bench.adapter import random_adapter
from bench.report import console, save, show
from cli.engine import MODEL_NAME, Engine
from cli.home import Home
from worker.trainer.job import Recipe

KEY = "bench"
PORT = 18741
NUM_TOKENS = 48
PROMPT = "Tell me a long story about a small town by the sea and the people who live there. "
PLUGINS = {"vLLM's own": "", "ours": "dormouse_lora_cpu"}


@contextmanager
def running_engine(plugins: str, log: Path) -> Iterator[str]:
    """A private engine with these `VLLM_PLUGINS`; its address."""
    engine = Engine(Home.at(), PORT, KEY)
    service = engine.service()
    env = {**os.environ, **service.env, "VLLM_PLUGINS": plugins}
    env["NO_PROXY"] = "127.0.0.1"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            service.argv, env=env, stdout=output, stderr=output, start_new_session=True
        ) as process,
    ):
        try:
            deadline = time.monotonic() + service.ready_timeout_s
            while not engine.answers():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"The engine did not start; see {log}")
                time.sleep(0.5)
            yield engine.url
        finally:
            process.terminate()
            process.wait(timeout=30)


async def tokens_per_s(url: str, model: str, num_streams: int, *, prefill: bool) -> float:
    """Generated tokens per second over all streams, or prompt tokens per second."""
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as http:

        async def one(index: int) -> int:
            body = {
                "model": model,
                # Another beginning each time, so that the prefix cache does not help.
                "prompt": f"{time.monotonic_ns()} {index} " + PROMPT * (12 if prefill else 1),
                "max_tokens": 1 if prefill else NUM_TOKENS,
                "ignore_eos": True,
                "temperature": 0,
            }
            async with http.post(f"{url}/v1/completions", json=body) as response:
                response.raise_for_status()
                usage = (await response.json())["usage"]
            return int(usage["prompt_tokens" if prefill else "completion_tokens"])

        began = time.monotonic()
        total = sum(await asyncio.gather(*(one(index) for index in range(num_streams))))
        return total / (time.monotonic() - began)


async def load(url: str, name: str, path: Path) -> None:
    """Load the adapter."""
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as http,
        http.post(
            f"{url}/v1/load_lora_adapter", json={"lora_name": name, "lora_path": str(path)}
        ) as response,
    ):
        response.raise_for_status()


async def measure(
    url: str, adapters: Mapping[str, Path], num_rounds: int
) -> dict[str, dict[str, float]]:
    """Medians by setting and by who answers."""
    for name, path in adapters.items():
        await load(url, name, path)
    models = {"base": MODEL_NAME, **{name: name for name in adapters}}
    figures: dict[str, dict[str, float]] = {}
    for setting, num_streams, prefill in (
        ("decode, 1 stream", 1, False),
        ("decode, 8 streams", 8, False),
        ("prefill, 4 prompts", 4, True),
    ):
        samples: dict[str, list[float]] = {who: [] for who in models}
        for _ in range(num_rounds + 1):
            for who, model in models.items():
                samples[who].append(await tokens_per_s(url, model, num_streams, prefill=prefill))
        # The first round warms up.
        figures[setting] = {who: median(values[1:]) for who, values in samples.items()}
    return figures


def main(
    rounds: Annotated[int, typer.Option(help="Rounds of each setting; the median counts.")] = 5,
    json: Annotated[Path | None, typer.Option(help="Write the figures here.")] = None,
) -> None:
    """Compare vLLM's LoRA on CPU with ours."""
    measured: dict[str, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="dormouse-bench-") as place:
        model, recipe = Home.at().model, Recipe()
        trained = random_adapter(
            model,
            Path(place) / "trained",
            r=recipe.r,
            modules=recipe.target_modules,
            frozen_ratio=recipe.frozen_ratio,
        )
        everywhere = random_adapter(model, Path(place) / "everywhere", r=recipe.r)
        adapters = {"trained": trained, "everywhere": everywhere}
        for name, plugins in PLUGINS.items():
            console.print(f"[dim]an engine with LoRA {name}...[/]")
            with running_engine(plugins, Path(place) / "engine.log") as url:
                measured[name] = asyncio.run(measure(url, adapters, rounds))
    rows = [
        (
            f"{setting}: {name}",
            *(f"{figures[who]:.1f}" for who in ("base", *adapters)),
            *(f"{figures[who] / figures['base']:.2f}" for who in adapters),
        )
        for setting in next(iter(measured.values()))
        for name in measured
        for figures in [measured[name][setting]]
    ]
    columns = ("", "base", "adapter as trained", "on all layers", "ratio", "ratio on all layers")
    show("tokens per second", columns, rows)
    save(json, {"bench": "lora_cpu", "rounds": rounds, "tokens_per_s": measured})


if __name__ == "__main__":
    typer.run(main)
