"""The gate against candidates that are bad on purpose: `python -m bench.planted`.

Some nights are taught, as in the learning bench. The last one's adapter is honest; each planted
candidate goes on from it with one fault trained in, while everything else is rehearsed. The gate
judges each as it judged the honest one, against the night before. It must refuse each, and the
suite that is there for such a fault must be among those that say so.
"""

import asyncio
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy import select

from bench.faults import Fault, Night, faults
from bench.learning import run_arm
from bench.lessons import curriculum
from bench.report import console, save, show
from cli.client import DormouseClient
from cli.home import Home
from cli.stack import LocalStack
from shared.contracts.cycles import GateReport, Lease
from shared.db.tables import AdapterRow, GateReportRow, ModelRow, SleepCycleRow, StageResultRow
from shared.engine.adapter_files import adopt
from shared.engine.client import EngineClient
from shared.settings import Settings
from shared.storage.adapters import AdapterStore
from shared.storage.examples import ExampleStore
from shared.storage.memories import MemoryStore
from shared.storage.models import ModelStore
from worker.context import Context, open_context
from worker.control import CycleControl
from worker.gate.stage import gate
from worker.results import Gated, Resolved, Trained

NUM_LESSONS, NUM_UPDATES = 10, 2
NUM_STEPS = 40
NUM_REPLAYS = 200
NUM_DREAMS = 120


class _Quiet(CycleControl):
    """Judging after the night shows no progress: nobody holds the cycle any more."""

    async def report(
        self, progress: float, detail: str | None = None, *, force: bool = False
    ) -> None:
        return None


class _Remembers(EngineClient):
    """The active one and the base are asked once for all candidates: greedy answers stay."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._replies: dict[str, dict[str, Any]] = {}

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path not in ("v1/chat/completions", "v1/completions", "tokenize"):
            return await super().post(path, body)
        key = json.dumps([path, body], sort_keys=True)
        if key not in self._replies:
            self._replies[key] = await super().post(path, body)
        return self._replies[key]


async def last_night(context: Context) -> Night:
    """The last promoted night, with the model as it was before it."""
    async with context.sessions.begin() as session:
        model = (await session.scalars(select(ModelRow).where(ModelRow.name == "default"))).one()
        honest, cycle_id = (
            await session.execute(
                select(AdapterRow, SleepCycleRow.id)
                .join(SleepCycleRow, SleepCycleRow.adapter_id == AdapterRow.id)
                .join(GateReportRow, GateReportRow.adapter_id == AdapterRow.id)
                .where(GateReportRow.passed)
                .order_by(AdapterRow.version.desc())
                .limit(1)
            )
        ).one()
        found = await session.scalars(
            select(StageResultRow).where(StageResultRow.cycle_id == cycle_id)
        )
        results = {row.stage: row.result for row in found}
        resolved = Resolved.model_validate(results["resolve"])
        resolved = resolved.without(Gated.model_validate(results["gate"]).take_out)
        memories = MemoryStore(session)
        learned = await memories.in_states(model.id, ("learned",))
        replaced = await memories.by_ids(sorted(resolved.successors))
        examples = ExampleStore(session)
        return Night(
            cycle_id=cycle_id,
            awake=await ModelStore(session).route_of(model.id),
            honest=honest,
            resolved=resolved,
            new=await memories.by_ids(resolved.to_learn),
            old=[memory for memory in learned if memory.id not in resolved.superseded],
            replaced=replaced,
            seeds=[
                *await examples.learned(model.id, "train"),
                *await examples.seeds_of_cycle(cycle_id, "train"),
            ],
            dreams=await examples.dreams_of_cycle(cycle_id),
        )


def job_of(night: Night, fault: Fault, model: Path, place: Path) -> dict[str, Any]:
    """What the trainer is asked to do: the fault, and all else as it is."""
    rehearsed = [
        seed
        for seed in night.seeds
        if seed.memory_id not in fault.spoils and seed.memory_id not in night.resolved.superseded
    ]
    rehearsed = random.Random(0).sample(rehearsed, min(NUM_REPLAYS, len(rehearsed)))
    return {
        "base_path": str(model),
        "base_name": night.awake.base,
        "parent_adapter_path": night.honest.path,
        "output_dir": str(place / "adapter"),
        "examples": [
            *({"messages": _messages(*turn), "kind": "seed"} for turn in fault.turns),
            *(
                {
                    "messages": seed.messages,
                    "kind": "replay",
                    "memory_id": str(seed.memory_id),
                    "value": next(iter(seed.accept), None),
                }
                for seed in rehearsed
            ),
        ],
        "dreams": [{"messages": dream.messages} for dream in night.dreams[:NUM_DREAMS]],
        "recipe": {"num_steps": NUM_STEPS},
    }


def _messages(asked: str, reply: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": asked}, {"role": "assistant", "content": reply}]


async def judge(context: Context, night: Night, adapter_id: UUID) -> GateReport:
    """What the night's gate would have said."""
    lease = Lease.model_validate(
        {
            "cycle_id": night.cycle_id,
            "model_id": night.awake.model_id,
            "token": night.cycle_id,
            "attempts": 1,
            "counts": {},
            "results": {},
        }
    )
    gated = await gate(
        context,
        _Quiet(context, lease),
        night.awake,
        Trained(adapter_id=adapter_id),
        night.resolved,
    )
    return gated.report


async def plant(context: Context, night: Night, fault: Fault, model: Path, place: Path) -> UUID:
    """Train a candidate with the fault, and record it."""
    await asyncio.to_thread(_train, job_of(night, fault, model, place), place)
    sha256, path = await asyncio.to_thread(adopt, place / "adapter", context.settings.adapters_dir)
    async with context.sessions.begin() as session:
        candidate = await AdapterStore(session).add(
            model_id=night.awake.model_id,
            cycle_id=None,
            parent_id=night.honest.id,
            sha256=sha256,
            path=str(path),
        )
    return candidate.id


async def judge_all(stack: LocalStack, place: Path, only: Collection[str]) -> list[dict[str, Any]]:
    """The honest candidate first, then each planted one."""
    prefix = "DORMOUSE_"
    settings = Settings.model_validate(
        {
            name.removeprefix(prefix).lower(): value
            for name, value in stack.env.items()
            if name.startswith(prefix) and name != "DORMOUSE_URL"
        }
    )
    rows = []
    async with open_context(settings) as opened, _Remembers(settings) as engine:
        context = replace(opened, engine=engine)
        night = await last_night(context)
        report = await judge(context, night, night.honest.id)
        rows.append(_row("honest", "", report))
        for number, fault in enumerate(faults(night)):
            if only and fault.suite not in only:
                continue
            console.print(f"{fault.name}: {len(fault.turns)} turns")
            candidate = await plant(
                context, night, fault, Home.at(None, None).model, place / f"planted-{number}"
            )
            rows.append(_row(fault.name, fault.suite, await judge(context, night, candidate)))
            console.print(f"  {rows[-1]['reason']}")
    return rows


def _train(job: dict[str, Any], place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    (place / "job.json").write_text(json.dumps(job))
    command = [sys.executable, "-m", "worker.trainer", str(place / "job.json")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _row(name: str, suite: str, report: GateReport) -> dict[str, Any]:
    failed = sorted({result.name for result in report.suites if not result.passed})
    return {
        "candidate": name,
        "suite": suite,
        "passed": report.passed,
        "failed": failed,
        "reason": report.reason,
        "holds": report.passed if not suite else suite in failed,
    }


def main(
    nights: Annotated[int, typer.Option(min=3, help="Nights that are taught before.")] = 4,
    seed: Annotated[int, typer.Option(help="Of the lessons' order and values.")] = 0,
    on: Annotated[
        Path | None,
        typer.Option(help="A folder of the learning bench whose nights are used instead."),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Only the faults that this suite must find.")
    ] = None,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the figures.")] = None,
) -> None:
    """Plant candidates with a fault each, and have the gate judge them."""
    home = Home.at(None, None)
    place = on or home.path / "bench-planted"
    if on is None:
        run_arm(place, "ours", seed, curriculum(nights, NUM_LESSONS, NUM_UPDATES, seed), None)
    with LocalStack(place, assets=home.path) as stack:
        stack.start()
        with DormouseClient(stack.url, stack.api_key, stack.admin_key) as client:
            newest = next(a for a in client.adapters() if (a.get("gate") or {}).get("passed"))
            if newest["state"] == "active":
                client.rollback(relearn=True)
        rows = asyncio.run(judge_all(stack, place, only or ()))
    show(
        "candidates",
        ("candidate", "must be found by", "passed", "failed", "holds"),
        [
            (row["candidate"], row["suite"], row["passed"], " ".join(row["failed"]), row["holds"])
            for row in rows
        ],
    )
    planted = [row for row in rows if row["suite"]]
    bars = [
        {
            "name": "planted candidates refused for the right reason",
            "value": sum(row["holds"] for row in planted),
            "bar": len(planted),
            "holds": all(row["holds"] for row in planted),
        },
        {
            "name": "the honest candidate passes",
            "value": rows[0]["passed"],
            "bar": True,
            "holds": rows[0]["holds"],
        },
    ]
    save(json_path, {"candidates": rows, "bars": bars})


if __name__ == "__main__":
    typer.run(main)
