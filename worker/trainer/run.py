"""One job from start to end: load, tokenize, train, save."""

import random
import shutil
import tempfile
import time
from pathlib import Path
from typing import cast

import torch
from transformers import AutoTokenizer

from worker.trainer.artifacts import save_adapter, write_manifest, write_probe
from worker.trainer.batches import Material
from worker.trainer.checkpoint import Checkpoint
from worker.trainer.data import Group, Tokenizer, TokenSequence, tokenize
from worker.trainer.job import TrainJob
from worker.trainer.model import load_student
from worker.trainer.train import Report, train


def run(job: TrainJob, report: Report) -> dict[str, object]:
    """Do the job; the output directory appears complete or not at all.

    Returns:
        Final losses, drift (nats per token) and seconds, as in the `done` event.

    Raises:
        ValueError: If there is nothing to learn, or the output directory exists.
        TrainingError: If training cannot go on.
    """
    start_s = time.monotonic()
    if job.output_dir.exists():
        raise ValueError(f"{job.output_dir} exists; an adapter is never overwritten.")
    device = _prepare(job)
    tokenizer = cast(Tokenizer, AutoTokenizer.from_pretrained(job.base_path, local_files_only=True))
    material = tokenize_job(tokenizer, job)
    if not material.seeds:
        raise ValueError("The job has no seed example that fits into max_length: nothing to learn.")
    if job.dreams and not material.dreams:
        raise ValueError(
            f"None of {len(job.dreams)} dreams fits into max_dream_length="
            f"{job.recipe.max_dream_length}: nothing would hold the model still."
        )
    student = load_student(job.base_path, job.parent_adapter_path, job.recipe, device)
    outcome = train(
        student,
        material,
        job.recipe,
        report,
        Checkpoint(job.checkpoint_path, job),
        warm_start=job.parent_adapter_path is not None,
    )

    job.output_dir.parent.mkdir(parents=True, exist_ok=True)
    temporary_dir = Path(
        tempfile.mkdtemp(
            prefix=f".{job.output_dir.name}.", suffix=".partial", dir=job.output_dir.parent
        )
    )
    try:
        save_adapter(student, temporary_dir, job.base_name)
        write_probe(student, material.seeds, temporary_dir, num_items=job.recipe.num_probe_items)
        write_manifest(job, outcome, student.base_dtype, temporary_dir)
        temporary_dir.chmod(0o755)
        for path in temporary_dir.iterdir():
            path.chmod(0o644)
        temporary_dir.rename(job.output_dir)
    finally:
        shutil.rmtree(temporary_dir, ignore_errors=True)
    return {
        "num_steps": outcome.num_steps,
        "seed_loss": round(outcome.seed_loss, 5),
        "kl": round(outcome.kl, 5),
        "drift": round(outcome.drift, 5),
        "num_tokens": outcome.num_tokens,
        "base_dtype": student.base_dtype,
        "seconds": round(time.monotonic() - start_s, 1),
    }


def tokenize_job(tokenizer: Tokenizer, job: TrainJob) -> Material:
    """Tokenize everything and set a share of the dreams aside to measure drift on."""
    groups: dict[Group, list[TokenSequence]] = {
        "seed": [],
        "replay": [],
        "contrast": [],
        "dream": [],
    }
    for example in job.examples:
        sequence = tokenize(
            tokenizer,
            example.messages,
            group=example.kind,
            index=len(groups[example.kind]),
            max_length=job.recipe.max_length,
            weight=example.weight,
            value=example.value,
            around=job.recipe.around_weight,
        )
        if sequence is not None:
            groups[example.kind].append(sequence)
    for dream in job.dreams:
        sequence = tokenize(
            tokenizer,
            dream.messages,
            group="dream",
            index=len(groups["dream"]),
            max_length=job.recipe.max_dream_length,
            max_answer_tokens=job.recipe.max_dream_targets,
            user_too=True,
        )
        if sequence is not None:
            groups["dream"].append(sequence)
    # Spread over the list: its beginning and end may be dreams of different kinds.
    ratio = job.recipe.holdout_dream_ratio
    every = round(1 / ratio) if ratio else 0
    held_out = {s.index for s in groups["dream"] if every and s.index % every == every - 1}
    return Material(
        seeds=tuple(groups["seed"]),
        replays=tuple(groups["replay"]),
        contrasts=tuple(groups["contrast"]),
        dreams=tuple(s for s in groups["dream"] if s.index not in held_out),
        holdout_dreams=tuple(s for s in groups["dream"] if s.index in held_out),
    )


def _prepare(job: TrainJob) -> torch.device:
    """Threads, randomness and the device."""
    torch.set_num_threads(job.num_threads)
    # Denormal numbers in attention made single steps seven times slower on x86.
    torch.set_flush_denormal(True)
    random.seed(job.recipe.seed)
    torch.manual_seed(job.recipe.seed)
    if job.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(job.device)
