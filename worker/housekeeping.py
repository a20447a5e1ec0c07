"""What beat asks for every few seconds."""

import logging
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from shared.dispatch import flush_outbox
from shared.errors import CycleActiveError
from shared.queue.wakeups import RUN_SLEEP_CYCLE
from shared.storage.cycles import SleepCycleStore
from shared.storage.documents import DocumentStore
from shared.storage.memories import MemoryStore
from shared.storage.models import ModelStore
from shared.storage.outbox import OutboxStore
from shared.storage.signals import SignalStore
from shared.storage.traces import TraceStore
from worker.context import Context
from worker.cycle import run_cycle
from worker.retention import tend_traces
from worker.schedule import Situation, cron_fired, why_now
from worker.seed.neighbours import lesson_of
from worker.seed.wordings import can_be_asked
from worker.tidy import tidy

log = logging.getLogger(__name__)


async def tick(context: Context) -> None:
    """Do what time asks for."""
    async with context.sessions.begin() as session:
        await MemoryStore(session).expire_sessions()
    await tend_traces(context)
    await tidy(context)
    await _start_what_is_due(context)
    await flush_outbox(context.sessions, context.queue)
    async with context.sessions.begin() as session:
        waiting = await SleepCycleStore(session).runnable()
    # One: a worker that was told to end in it must not begin the next.
    for cycle_id in waiting[:1]:
        await run_cycle(context, cycle_id)


async def _num_waiting(session: AsyncSession, model_id: UUID) -> int:
    """What a night has work with though nobody said anything since the last one.

    Late feedback, and lessons that no adapter holds yet: too many for one night, not learned by
    it, or given back by a rollback.
    """
    pending = await MemoryStore(session).in_states(model_id, ("pending",))
    lasting = [memory for memory in pending if memory.persistence == "long_term"]
    num_lessons = sum(can_be_asked(lesson_of(memory)) for memory in lasting)
    return num_lessons + await SignalStore(session).count_late(model_id)


async def _start_what_is_due(context: Context) -> None:
    async with context.sessions.begin() as session:
        model_ids = await ModelStore(session).all_ids()
    for model_id in model_ids:
        async with context.sessions.begin() as session:
            traces, cycles = TraceStore(session), SleepCycleStore(session)
            documents = DocumentStore(session)
            now = datetime.now(UTC)
            last_scheduled_at = await cycles.last_created_at(model_id, trigger="schedule")
            needed = max(context.settings.sleep_min_traces, 1)
            num_queued = await traces.count_queued(model_id, at_most=needed)
            num_queued += await documents.count_queued(model_id)
            fired = cron_fired(context.settings.sleep_cron, now, last_scheduled_at)
            if fired and num_queued < needed:
                num_queued += await _num_waiting(session, model_id)
            idle = timedelta(seconds=context.settings.sleep_idle_s or 0)
            situation = Situation(
                now=now,
                num_queued=num_queued,
                last_chat_at=await traces.last_chat_at(model_id, since=now - idle),
                last_document_at=await documents.last_added_at(model_id),
                last_cycle_at=await cycles.last_created_at(model_id),
                last_scheduled_at=last_scheduled_at,
            )
            due = why_now(context.settings, situation)
            if due is None or await cycles.active_id(model_id) is not None:
                continue
            try:
                cycle_id = await cycles.add(
                    model_id=model_id, trigger=due.trigger, reason=due.reason, requested_by=None
                )
            except CycleActiveError:
                continue
            await OutboxStore(session).add(RUN_SLEEP_CYCLE, {"cycle_id": str(cycle_id)})
            log.info("sleep cycle %s is due: %s", cycle_id, due.reason)
