"""The days of the traces table: made a week ahead; dropped once they are older than is wanted."""

import logging
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy.exc import DBAPIError

from shared.storage.partitions import BATCH, TracePartitionStore
from worker.context import Context

NUM_DAYS_AHEAD = 7

log = logging.getLogger(__name__)


async def tend_traces(context: Context) -> None:
    """Make the days that come, and forget those that went.

    A table that is too busy to be locked is left for the next tick. What lies in no day is looked
    for when a new day was made: once a day.
    """
    today = datetime.now(UTC).date()
    try:
        is_new_day = False
        for ahead in range(1, NUM_DAYS_AHEAD + 1):
            async with context.sessions.begin() as session:
                is_new_day |= await TracePartitionStore(session).add(today + timedelta(days=ahead))
        if context.settings.trace_retention_days is not None:
            first_kept = today - timedelta(days=context.settings.trace_retention_days)
            if is_new_day:
                await _delete_undated(context, first_kept)
            await _drop_days(context, first_kept)
    except DBAPIError as error:
        log.warning("the days of the traces table wait: %s", error.orig)


async def _drop_days(context: Context, first_kept: date) -> None:
    async with context.sessions.begin() as session:
        days = await TracePartitionStore(session).days()
    for day in days:
        if day < first_kept:
            async with context.sessions.begin() as session:
                await TracePartitionStore(session).drop(day)
            log.info("the traces of %s are dropped", day)


async def _delete_undated(context: Context, first_kept: date) -> None:
    before = datetime.combine(first_kept, time.min, UTC)
    num_deleted = BATCH
    while num_deleted == BATCH:
        async with context.sessions.begin() as session:
            num_deleted = await TracePartitionStore(session).delete_undated(before)
