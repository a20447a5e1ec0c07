"""Conversations that were brought in are slept on like those that were held here."""

import json

from api.traces.archive import from_line
from shared.storage.cycles import SleepCycleStore
from shared.storage.models import ModelStore
from shared.storage.traces import TraceStore
from tests.worker.conftest import World
from worker.collect import collect
from worker.context import Context
from worker.control import CycleControl
from worker.triage.stage import triage


async def test_a_correction_in_a_later_turn_of_a_line_becomes_a_memory(
    context: Context, world: World
) -> None:
    conversation = [
        {"role": "user", "content": "Who founded Drumlin?"},
        {"role": "assistant", "content": "Drumlin was founded by Ada Lovelace."},
        {"role": "user", "content": "No, that's wrong. Drumlin was founded by Selma Rooke."},
        {"role": "assistant", "content": "Thank you for telling me."},
    ]
    async with world.sessions.begin() as session:
        awake = await ModelStore(session).route_of(world.model_id)
        line = json.dumps({"messages": conversation}).encode()
        traces, _ = from_line(line, awake, lambda _: "k:importer")
        await TraceStore(session).add(*traces)
    cycle_id = await world.queue()
    async with world.sessions.begin() as session:
        lease = await SleepCycleStore(session).lease(cycle_id, 60.0)
    assert lease is not None
    control = CycleControl(context, lease)
    await collect(context, control, awake)
    await triage(context, control)
    [memory] = await world.memories()
    assert (memory.question, memory.value) == ("Who founded Drumlin?", "Selma Rooke")
