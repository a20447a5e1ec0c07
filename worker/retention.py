"""The days of the traces table: made a week ahead; dropped once they are older than is wanted."""

import logging
from datetime import UTC, datetime, time, timedelta

from sqlalchemy.exc import DBAPIError

from shared.storage.partitions import BATCH, TracePartitionStore
from worker.context import Context

NUM_DAYS_AHEAD = 7

log = logging.getLogger(__name__)


async def tend_traces(context: Context) -> None:
    """Make the days that come, and forget those that went.

    Forgetting happens when a new day was made: once a day. A table that is too busy to be locked
    is left for the next tick.
    """
    today = datetime.now(UTC).date()
    try:
        is_new_day = False
        for ahead in range(1, NUM_DAYS_AHEAD + 1):
            async with context.sessions.begin() as session:
                is_new_day |= await TracePartitionStore(session).add(today + timedelta(days=ahead))
        if is_new_day and context.settings.trace_retention_days is not None:
            await _forget(context, context.settings.trace_retention_days)
    except DBAPIError as error:
        log.warning("the days of the traces table wait: %s", error.orig)


async def _forget(context: Context, num_days: int) -> None:
    """Drop the days that ended longer ago than `num_days`, and what is as old in no day."""
    first_kept = datetime.now(UTC).date() - timedelta(days=num_days)
    async with context.sessions.begin() as session:
        days = await TracePartitionStore(session).days()
    for day in days:
        if day < first_kept:
            async with context.sessions.begin() as session:
                await TracePartitionStore(session).drop(day)
            log.info("the traces of %s are dropped", day)
    before = datetime.combine(first_kept, time.min, UTC)
    num_deleted = BATCH
    while num_deleted == BATCH:
        async with context.sessions.begin() as session:
            num_deleted = await TracePartitionStore(session).delete_undated(before)
