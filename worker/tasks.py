"""What the queue can ask for. A message is only a hint to look; the state decides."""

import asyncio
import logging
from uuid import UUID

from celery.signals import worker_ready

from shared.queue.wakeups import RUN_SLEEP_CYCLE, TICK
from worker.app import app, settings
from worker.context import open_context
from worker.cycle import run_cycle
from worker.housekeeping import tick

logging.basicConfig(level=settings.log_level)


@app.task(name=RUN_SLEEP_CYCLE, ignore_result=True)  # type: ignore[untyped-decorator]
def run_sleep_cycle(cycle_id: str) -> None:
    """Run the cycle if it is queued or its lease ran out; any other delivery does nothing."""
    asyncio.run(_run_sleep_cycle(UUID(cycle_id)))


async def _run_sleep_cycle(cycle_id: UUID) -> None:
    async with open_context(settings) as context:
        await run_cycle(context, cycle_id)


@app.task(name=TICK, ignore_result=True)  # type: ignore[untyped-decorator]
def run_tick() -> None:
    """Send what the outbox holds, start what is due, resume what lost its worker."""
    asyncio.run(_run_tick())


async def _run_tick() -> None:
    async with open_context(settings) as context:
        await tick(context)


@worker_ready.connect  # type: ignore[untyped-decorator]
def _look_at_once(**_: object) -> None:
    """A worker that starts does not wait for beat: its predecessor may have left a cycle."""
    run_tick.delay()
