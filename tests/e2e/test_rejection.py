"""Candidates made bad on purpose, judged by the real gate in front of real vLLM."""

import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from sqlalchemy import select

from shared.db.tables import AdapterRow, ModelRow
from shared.engine.adapter_files import adopt
from shared.settings import Settings
from shared.storage.adapters import AdapterStore
from shared.storage.cycles import SleepCycleStore
from shared.storage.models import ModelStore
from tests.e2e.conftest import Night
from tests.real import Visitor
from worker.context import Context, open_context
from worker.control import CycleControl
from worker.gate.stage import gate
from worker.results import Collected, Gated, Resolved, Seeded, Trained
from worker.wake import promote_or_reject

WEIGHTS = "adapter_model.safetensors"


def random_weights(directory: Path) -> None:
    tensors = load_file(directory / WEIGHTS)
    rng = np.random.default_rng(0)
    noise = {k: rng.normal(0, 0.5, v.shape).astype(v.dtype) for k, v in tensors.items()}
    save_file(noise, directory / WEIGHTS)


def wrong_modules(directory: Path) -> None:
    tensors = load_file(directory / WEIGHTS)
    moved = {name.replace(".layers.", ".blocks."): value for name, value in tensors.items()}
    save_file(moved, directory / WEIGHTS)


def truncated(directory: Path) -> None:
    content = (directory / WEIGHTS).read_bytes()
    (directory / WEIGHTS).write_bytes(content[: len(content) // 2])


def not_a_number(directory: Path) -> None:
    tensors = load_file(directory / WEIGHTS)
    first = next(iter(tensors))
    tensors[first] = np.full_like(tensors[first], np.nan)
    save_file(tensors, directory / WEIGHTS)


@pytest.fixture
async def context(visitor: Visitor) -> AsyncIterator[Context]:
    env = visitor.stack.env
    settings = Settings.model_validate(
        {
            name.removeprefix("DORMOUSE_").lower(): value
            for name, value in env.items()
            if name.startswith("DORMOUSE_") and name != "DORMOUSE_URL"
        }
    )
    async with open_context(settings.model_copy(update={"gate_max_general": 8})) as context:
        yield context


async def judge(context: Context, spoil: Callable[[Path], None], place: Path) -> Gated:
    """Copy the active adapter, spoil the copy, and have the gate judge it as a new candidate."""
    async with context.sessions.begin() as session:
        model = (await session.scalars(select(ModelRow).where(ModelRow.name == "default"))).one()
        active = await session.get_one(AdapterRow, model.active_adapter_id)
        cycles = SleepCycleStore(session)
        cycle_id = await cycles.add(
            model_id=model.id, trigger="test", reason=None, requested_by="test"
        )
        lease = await cycles.lease(cycle_id, 600)
        awake = await ModelStore(session).route_of(model.id)
    assert lease is not None
    directory = place / "spoilt"
    shutil.copytree(active.path, directory)
    for path in directory.iterdir():
        path.chmod(0o644)
    spoil(directory)
    sha256, path = adopt(directory, context.settings.adapters_dir)
    async with context.sessions.begin() as session:
        candidate = await AdapterStore(session).add(
            model_id=model.id,
            cycle_id=cycle_id,
            parent_id=active.id,
            sha256=sha256,
            path=str(path),
        )
    trained, resolved = Trained(adapter_id=candidate.id), Resolved(to_learn=[], changes=[])
    gated = await gate(context, CycleControl(context, lease), awake, trained, resolved)
    collected = Collected(num_traces=0, num_signals=0, active_adapter_id=active.id)
    seeded = Seeded(num_train=0, num_heldout=0)
    await promote_or_reject(context, lease, collected, trained, resolved, seeded, gated)
    return gated


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (random_weights, "does not act as trained"),
        (wrong_modules, ""),
        (truncated, "cannot be read"),
        (not_a_number, "not finite"),
    ],
)
async def test_a_bad_candidate_is_rejected_and_the_active_adapter_goes_on_answering(
    visitor: Visitor,
    night: Night,
    context: Context,
    tmp_path: Path,
    spoil: Callable[[Path], None],
    reason: str,
) -> None:
    night.promoted()
    before = visitor.chat("Who founded Harrowgate Mills?", store=False)
    gated = await judge(context, spoil, tmp_path)
    assert not gated.report.passed
    assert gated.report.reason
    assert reason in gated.report.reason
    [newest, *_] = visitor.admin("GET", "/adapters")["data"]
    assert newest["state"] == "rejected"
    assert newest["gate"]["reason"] == gated.report.reason
    after = visitor.chat("Who founded Harrowgate Mills?", store=False)
    assert after.status_code == 200
    assert after.headers["X-Dormouse-Adapter"] == before.headers["X-Dormouse-Adapter"] != "base"
    assert after.json()["choices"] == before.json()["choices"]
