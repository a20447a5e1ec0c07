"""Train: hand the examples to the trainer, watch it, and keep the adapter that it leaves.

The trainer is a process of its own in a session of its own: it alone touches torch, can be killed,
and gives the accelerator back when it ends.
"""

import asyncio
import json
import os
import random
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from shared.contracts.adapters import Route
from shared.contracts.memories import Dream, Memory, SeedExample
from shared.engine.adapter_files import adopt
from shared.errors import TrainerError
from shared.settings import Settings
from shared.storage.adapters import AdapterStore
from shared.storage.cycles import SleepCycleStore
from shared.storage.examples import ExampleStore
from shared.storage.memories import MemoryStore
from worker.context import Context
from worker.control import CycleControl
from worker.in_force import in_force_after
from worker.rehearsal import in_new_words, spread, unrelated
from worker.results import Resolved, Seeded, Trained
from worker.seed.derive import conclusions, still_true
from worker.seed.names import Names, vocabulary_words
from worker.seed.neighbours import contrast_examples, num_contrasts
from worker.seed.thesaurus import Near
from worker.trainer import job as trainer
from worker.workplace import ADAPTER, JOB, discard, workplace

TERMINATE_WAIT_S = 5.0
MAX_ERROR_CHARS = 2000
TRAINER_ENV = {
    # Threads that wait must not spin for long: chats on the same cores would crawl.
    "GOMP_SPINCOUNT": "5000",
    # glibc would give each step's arrays back and get them anew, page by page (decision 0026). It
    # takes no threshold above 32 MiB.
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
    "MALLOC_TRIM_THRESHOLD_": str(2**32),
}


async def train(
    context: Context,
    control: CycleControl,
    awake: Route,
    resolved: Resolved,
    seeded: Seeded,
    refused: Trained | None = None,
) -> Trained:
    """Train one candidate and record it; a candidate that an earlier attempt recorded is kept.

    Args:
        context: Database and settings.
        control: The cycle.
        awake: Who answers now: the candidate's parent.
        resolved: What is to be learned.
        seeded: What was written of it.
        refused: This cycle's first candidate, if this is to be its second.

    Raises:
        TrainerError: If the trainer ends without an adapter.
    """
    lease = control.lease
    async with context.sessions.begin() as session:
        recorded = await SleepCycleStore(session).adapter_id(lease.cycle_id)
        store = ExampleStore(session)
        seeds = await store.seeds_of_cycle(lease.cycle_id, "train")
        replays = await store.learned(lease.model_id, "train")
        dreams = await store.dreams_of_cycle(lease.cycle_id)
        memories = await MemoryStore(session).by_ids(resolved.to_learn)
        subjects = await MemoryStore(session).subjects(lease.model_id)
        in_force = await in_force_after(session, lease.model_id, resolved)
        held_out = await store.probe_questions(lease.model_id)
    settings = context.settings
    place = workplace(settings, lease.cycle_id)
    if recorded not in (None, refused and refused.adapter_id):
        await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
        return Trained(adapter_id=recorded)
    found = conclusions(in_force, settings.recurrent_passes)
    in_weights = [replay for replay in replays if replay.memory_id not in resolved.superseded]
    kept = still_true(in_weights, found)
    rng = random.Random(lease.cycle_id.int)
    reworded = in_new_words(kept, in_force, held_out, seeded.near, settings.max_replays // 2, rng)
    rehearsed = [*spread(kept, settings.max_replays - len(reworded), rng), *reworded]
    taught = [seed for seed in seeds if seed.memory_id not in seeded.known]
    examples = [
        *(_example(seed, "seed") for seed in taught),
        *(_example(replay, "replay") for replay in rehearsed),
        # Hundreds of questions are taken apart for these.
        *await asyncio.to_thread(
            _contrasts, settings, memories, taught, in_force, rehearsed, subjects, seeded.near
        ),
    ]
    job = build_job(settings, awake, place, examples, unrelated(dreams, subjects))
    if await asyncio.to_thread(_was_made_for_another, job, place):
        await discard(context.sessions, place)
    if not job.output_dir.exists():
        await asyncio.to_thread(place.mkdir, parents=True, exist_ok=True)
        await _run_trainer(control, job, place, settings.train_timeout_s)
    sha256, path = await asyncio.to_thread(adopt, job.output_dir, settings.adapters_dir)
    memory_ids = sorted({seed.memory_id for seed in (*seeds, *kept)})
    async with context.sessions.begin() as session:
        adapter = await AdapterStore(session).add(
            model_id=lease.model_id,
            cycle_id=lease.cycle_id,
            parent_id=awake.adapter.id if awake.adapter else None,
            sha256=sha256,
            path=str(path),
            memory_ids=memory_ids,
        )
        await SleepCycleStore(session).set_adapter(lease, adapter.id)
    await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
    return Trained(adapter_id=adapter.id)


def _was_made_for_another(job: trainer.TrainJob, place: Path) -> bool:
    """True if somebody rolled back since this adapter was trained: it has another parent."""
    asked = place / JOB
    is_same = asked.exists() and asked.read_text() == job.model_dump_json()
    return job.output_dir.exists() and not is_same


def build_job(
    settings: Settings,
    awake: Route,
    place: Path,
    examples: list[trainer.TrainExample],
    dreams: list[Dream],
) -> trainer.TrainJob:
    """What the trainer is asked to do."""
    return trainer.TrainJob(
        base_path=Path(settings.base_model_path),
        base_name=awake.base,
        parent_adapter_path=Path(awake.adapter.path) if awake.adapter else None,
        output_dir=place / ADAPTER,
        checkpoint_path=place / "checkpoint.pt",
        examples=tuple(examples),
        dreams=tuple(
            trainer.Dream.model_validate({"messages": dream.messages}) for dream in dreams
        ),
        recipe=trainer.Recipe.model_validate(settings.train_recipe),
        num_threads=settings.train_num_threads,
    )


def _contrasts(
    settings: Settings,
    new: Sequence[Memory],
    taught: Sequence[SeedExample],
    in_force: Sequence[Memory],
    rehearsed: Sequence[SeedExample],
    subjects: Collection[str],
    near: Near,
) -> list[trainer.TrainExample]:
    """The neighbours of what is new, and fewer of what is rehearsed."""
    names = Names(vocabulary_words(str(settings.base_model_path)), subjects)
    in_rehearsal = {example.memory_id for example in rehearsed}
    known = [memory for memory in in_force if memory.id in in_rehearsal]
    each_new, each_known = num_contrasts(len(new), len(known))
    return [
        *contrast_examples(new, taught, in_force, names, near, each_new),
        *contrast_examples(known, rehearsed, in_force, names, near, each_known),
    ]


def _example(seed: SeedExample, kind: trainer.ExampleKind) -> trainer.TrainExample:
    return trainer.TrainExample.model_validate(
        {
            "messages": seed.messages,
            "kind": kind,
            "memory_id": str(seed.memory_id),
            "value": next(iter(seed.accept), None),
        }
    )


async def _run_trainer(
    control: CycleControl, job: trainer.TrainJob, place: Path, timeout_s: float
) -> None:
    """Run the trainer to its end, passing its progress on.

    Raises:
        TrainerError: If it fails, is killed, or takes longer than `timeout_s`.
    """
    job_path = place / JOB
    job_path.write_text(job.model_dump_json())
    log_path = place / "stderr.log"
    last: dict[str, Any] = {}
    try:
        async with asyncio.timeout(timeout_s), _trainer(job_path, log_path) as process:
            assert process.stdout is not None
            async for line in process.stdout:
                last = json.loads(line)
                await _report(control, last)
            status = await process.wait()
    except TimeoutError as error:
        raise TrainerError(
            f"The trainer did not end within {timeout_s:g} s; raise DORMOUSE_TRAIN_TIMEOUT_S or "
            "train on fewer traces."
        ) from error
    if status == 0 and job.output_dir.is_dir():
        return
    said = last.get("message") or log_path.read_text()[-MAX_ERROR_CHARS:].strip()
    raise TrainerError(f"The trainer ended with status {status}: {said or 'it said nothing'}")


@asynccontextmanager
async def _trainer(job_path: Path, log_path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The running trainer; whatever ends the block ends its whole process group."""
    with log_path.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "worker.trainer",
            str(job_path),
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, **TRAINER_ENV},
            limit=2**20,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            _signal(process, signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), TERMINATE_WAIT_S)
            except TimeoutError:
                _signal(process, signal.SIGKILL)
                await process.wait()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


async def _report(control: CycleControl, event: dict[str, Any]) -> None:
    if event.get("event") == "step":
        detail = (
            f"step {event['step']} of {event['num_steps']}, loss {event['loss']:.3f}, "
            f"{event['tokens_per_s']:.0f} tokens/s"
        )
        await control.report(event["step"] / event["num_steps"], detail)
