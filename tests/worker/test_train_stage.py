"""The train stage: what it keeps when its worker is killed."""

import pytest

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
from worker.train import train, workplace
from worker.trainer.job import TrainJob


async def test_what_was_trained_before_the_worker_was_killed_is_not_trained_again(
    context: Context, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs: list[TrainJob] = []

    async def trainer(control: CycleControl, job: TrainJob, *_: object) -> None:
        jobs.append(job)
        write_adapter(job.output_dir)

    async def is_killed(*_: object, **__: object) -> None:
        raise LeaseLostError("killed")

    monkeypatch.setattr(train_module, "_run_trainer", trainer)
    async with world.sessions.begin() as session:
        awake = await ModelStore(session).route_of(world.model_id)
    cycle_id = await world.queue()
    async with world.sessions.begin() as session:
        lease = await SleepCycleStore(session).lease(cycle_id, 600)
    assert lease is not None
    night = (
        context,
        CycleControl(context, lease),
        awake,
        Resolved(to_learn=[], changes=[]),
        Seeded(num_train=0, num_heldout=0),
    )
    with monkeypatch.context() as patch:
        patch.setattr(AdapterStore, "add", is_killed)
        with pytest.raises(LeaseLostError):
            await train(*night)
    trained = await train(*night)
    assert await train(*night) == trained
    assert len(jobs) == 1
    assert not workplace(context.settings, cycle_id).exists()
