"""The train stage: what it keeps when its worker is killed."""

import shutil
from pathlib import Path

import pytest

from shared.contracts.adapters import AdapterFile
from shared.engine.adapter_files import adopt
from shared.errors import LeaseLostError
from shared.storage.adapters import AdapterStore
from shared.storage.cycles import SleepCycleStore
from shared.storage.models import ModelStore
from tests.fakes.adapters import write_adapter
from tests.worker.conftest import World
from worker import train as train_module
from worker.context import Context
from worker.control import CycleControl
from worker.results import Resolved, Seeded
from worker.train import train
from worker.trainer.job import TrainJob
from worker.workplace import JOB, workplace


def leave(job: TrainJob, place: Path, fill: float) -> None:
    """What a trainer leaves."""
    write_adapter(job.output_dir, fill=fill)
    (place / JOB).write_text(job.model_dump_json())


def weights(context: Context) -> list[Path]:
    return list(context.settings.adapters_dir.glob("[0-9a-f]*/adapter_model.safetensors"))


@pytest.mark.parametrize("rolled_back", [False, True])
async def test_what_was_trained_before_the_worker_was_killed_is_not_trained_again(
    context: Context,
    world: World,
    candidates: list[AdapterFile],
    monkeypatch: pytest.MonkeyPatch,
    rolled_back: bool,
) -> None:
    jobs: list[TrainJob] = []

    async def trainer(control: CycleControl, job: TrainJob, place: Path, *_: object) -> None:
        jobs.append(job)
        leave(job, place, fill=len(jobs))

    async def is_killed(*_: object, **__: object) -> None:
        raise LeaseLostError("killed")

    monkeypatch.setattr(train_module, "_run_trainer", trainer)
    async with world.sessions.begin() as session:
        base = await ModelStore(session).route_of(world.model_id)
    awake = base.model_copy(update={"adapter": candidates[0]}) if rolled_back else base
    cycle_id = await world.queue()
    async with world.sessions.begin() as session:
        lease = await SleepCycleStore(session).lease(cycle_id, 600)
    assert lease is not None
    control = CycleControl(context, lease)
    nothing = (Resolved(to_learn=[], changes=[]), Seeded(num_train=0, num_heldout=0))
    num_before = len(weights(context))
    with monkeypatch.context() as patch:
        patch.setattr(AdapterStore, "add", is_killed)
        with pytest.raises(LeaseLostError):
            await train(context, control, awake, *nothing)
    assert len(weights(context)) == num_before + 1
    trained = await train(context, control, base, *nothing)
    assert await train(context, control, base, *nothing) == trained
    # With another parent it was trained anew, and nothing is left of what it was before.
    assert len(jobs) == (2 if rolled_back else 1)
    assert len(weights(context)) == num_before + 1
    assert not workplace(context.settings, cycle_id).exists()
    # What was refused is recorded too, and is not taken for the second try; that one is kept.
    second = await train(context, control, base, *nothing, trained)
    assert second != trained
    assert await train(context, control, base, *nothing, trained) == second


def test_who_comes_second_to_a_place_finds_the_same_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained, adapters = write_adapter(tmp_path / "adapter"), tmp_path / "adapters"
    copytree = shutil.copytree

    def copies_late(source: Path, target: Path, *, dirs_exist_ok: bool) -> Path:
        monkeypatch.undo()
        adopt(trained, adapters)
        return copytree(source, target, dirs_exist_ok=dirs_exist_ok)

    monkeypatch.setattr(shutil, "copytree", copies_late)
    _, path = adopt(trained, adapters)
    assert list(adapters.iterdir()) == [path]
    assert [item.name for item in tmp_path.iterdir() if item.name.startswith("copy-")] == []
