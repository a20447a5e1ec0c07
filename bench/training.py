"""The trainer against TRL's SFTTrainer: the same examples, LoRA, batch, rate, steps and threads.

Both fine-tune with cross-entropy on the answers, each in a process of its own. A token counts once
for each example that it belongs to, however it is packed or padded: the same work has the same
number of tokens. The loss is measured afterwards on both adapters by the same code.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median
from typing import Annotated, Any, cast

import torch
import typer
from transformers import AutoTokenizer

from bench.arms import examples_of
from bench.lessons import curriculum
from bench.report import console, save, show
from cli.home import Home
from worker.trainer.artifacts import mean_logprob
from worker.trainer.data import Tokenizer, TokenSequence
from worker.trainer.job import Recipe, TrainJob
from worker.trainer.model import load_student
from worker.trainer.run import tokenize_job

# What people train with, in all layers; our own recipe has the MLPs of the upper ones alone.
ALL_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
WAYS = {
    "ours": ("-m", "worker.trainer"),
    "TRL, bfloat16": ("-m", "bench.sft"),
    "TRL, float32": ("-m", "bench.sft"),
}
COLUMNS = ("tokens/s", "of ours", "peak MiB", "loss before", "loss after")
NUM_LOSS_EXAMPLES = 60


def run_once(way: str, job: TrainJob, place: Path) -> dict[str, float]:
    """Train once; seconds per step (median, without the first two) and peak memory in MiB."""
    path = place / "job.json"
    path.write_text(job.model_dump_json())
    argv = [sys.executable, *WAYS[way], str(path)]
    if way != "ours":
        argv.append(way.rpartition(" ")[2])
    ends: list[float] = []
    with (place / "log.txt").open("ab") as log:
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith('{"event": "step"'):
                ends.append(time.monotonic())
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit((place / "log.txt").read_text()[-3000:])
    steps = [after - before for before, after in pairwise(ends[1:])]
    return {"step_s": median(steps), "peak_mib": usage.ru_maxrss / 1024}


def measure_loss(job: TrainJob, adapter: Path, examples: list[TokenSequence], *, on: bool) -> float:
    """Mean loss of the answers, nats per token, with the adapter or with the bare base."""
    student = load_student(job.base_path, adapter, job.recipe, torch.device("cpu"))
    return -fmean(mean_logprob(student, example, adapter=on) for example in examples)


def main(
    steps: Annotated[int, typer.Option(min=4, help="Optimizer steps of each run.")] = 40,
    batch: Annotated[int, typer.Option(min=1, help="Examples of a step.")] = 16,
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each way, in turn.")] = 3,
    threads: Annotated[int, typer.Option(min=1, help="For torch.")] = 2,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the figures.")] = None,
) -> None:
    """Tokens per second, peak memory and the loss reached."""
    if find_spec("trl") is None:
        raise SystemExit("TRL is not installed. Run this as: make bench-training")
    torch.set_num_threads(threads)
    lessons = [lesson for cycle in curriculum(2, 10, 0, seed=0) for lesson in cycle]
    examples = [example for lesson in lessons for example in examples_of(lesson, {})]
    recipe = Recipe(
        num_steps=steps,
        seeds_per_step=batch,
        num_passes=steps * batch / len(examples),
        target_modules=ALL_LINEAR,
        frozen_ratio=0,
    )
    runs: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    losses: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        job = TrainJob.model_validate(
            {
                "base_path": Home.at(None, None).model,
                "output_dir": place / "adapter",
                "examples": examples,
                "recipe": recipe,
                "num_threads": threads,
            }
        )
        tokenizer = cast(Tokenizer, AutoTokenizer.from_pretrained(job.base_path))
        sequences = list(tokenize_job(tokenizer, job).seeds)
        step_tokens = batch * fmean(len(sequence.token_ids) for sequence in sequences)
        asked = sequences[:: max(len(sequences) // NUM_LOSS_EXAMPLES, 1)]
        for number in range(rounds):
            for way in WAYS:
                shutil.rmtree(job.output_dir, ignore_errors=True)
                runs[way].append(run_once(way, job, place))
                console.print(f"  [dim]round {number + 1}, {way}: {runs[way][-1]}[/]")
                if way not in losses:
                    losses[way] = {
                        "before": measure_loss(job, job.output_dir, asked, on=False),
                        "after": measure_loss(job, job.output_dir, asked, on=True),
                    }
    figures = {way: _figures(runs[way], step_tokens, losses[way]) for way in WAYS}
    ours = figures["ours"]["tokens_per_s"]
    rows = [
        (
            way,
            f"{found['tokens_per_s']:.0f}",
            f"{found['tokens_per_s'] / ours:.2f}",
            f"{found['peak_mib']:.0f}",
            f"{found['loss_before']:.3f}",
            f"{found['loss_after']:.3f}",
        )
        for way, found in figures.items()
    ]
    title = f"{steps} steps of {batch} examples, {threads} threads, medians of {rounds}"
    show(title, ("", *COLUMNS), rows)
    save(json_path, {"steps": steps, "batch": batch, "threads": threads, "ways": figures})


def _figures(
    runs: list[dict[str, float]], step_tokens: float, losses: dict[str, float]
) -> dict[str, Any]:
    return {
        "tokens_per_s": step_tokens / median(run["step_s"] for run in runs),
        "peak_mib": median(run["peak_mib"] for run in runs),
        "loss_before": losses["before"],
        "loss_after": losses["after"],
    }


if __name__ == "__main__":
    typer.run(main)
