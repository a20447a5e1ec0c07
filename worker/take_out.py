"""Take out: a candidate was refused for a few lessons alone, so the night goes on without them."""

from shared.storage.adapters import AdapterStore
from shared.storage.cycles import SleepCycleStore
from shared.storage.examples import ExampleStore
from worker.context import Context
from worker.control import CycleControl
from worker.in_force import in_force_after
from worker.results import Gated, Resolved, Trained
from worker.seed.derive import conclusions, still_true


async def take_out(
    context: Context, control: CycleControl, refused: Trained, rest: Resolved, gated: Gated
) -> None:
    """Write the first verdict, and forget what this night wrote of the lessons that leaked.

    They stay pending, for another night. Nothing of them may be left among the examples that the
    others keep: neither their own nor what was concluded from them.
    """
    cycle_id = control.lease.cycle_id
    async with context.sessions.begin() as session:
        await SleepCycleStore(session).hold(control.lease)
        await AdapterStore(session).add_report(refused.adapter_id, cycle_id, gated.report)
        in_force = await in_force_after(session, control.lease.model_id, rest)
        store = ExampleStore(session)
        seeds = await store.seeds_of_cycle(cycle_id, "train")
        true = still_true(seeds, conclusions(in_force, context.settings.recurrent_passes))
        untrue = {seed.id for seed in seeds} - {seed.id for seed in true}
        await store.drop_seeds(cycle_id, memory_ids=gated.take_out, seed_ids=untrue)
