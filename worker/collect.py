"""Collect: queued traces, what was said of earlier ones, documents: for this cycle alone."""

from shared.contracts.adapters import Route
from shared.storage.cycles import SleepCycleStore
from shared.storage.documents import DocumentStore
from shared.storage.signals import SignalStore
from shared.storage.traces import TraceStore
from worker.context import Context
from worker.control import CycleControl
from worker.results import Collected


async def collect(context: Context, control: CycleControl, awake: Route) -> Collected:
    """Claim traces, signals and documents; what an earlier attempt claimed stays claimed."""
    lease = control.lease
    async with context.sessions.begin() as session:
        await SleepCycleStore(session).hold(lease)
        num_traces = await TraceStore(session).claim(
            lease.model_id, lease.cycle_id, context.settings.max_cycle_traces
        )
        await DocumentStore(session).claim(lease.model_id, lease.cycle_id)
        num_signals = await SignalStore(session).claim(lease.model_id, lease.cycle_id)
    control.count(traces=num_traces)
    return Collected(
        num_traces=num_traces,
        num_signals=num_signals,
        active_adapter_id=awake.adapter.id if awake.adapter else None,
    )
