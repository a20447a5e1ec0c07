"""What must not stay: files of erased versions, what a trainer left, late words of the erased."""

import asyncio
import logging
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shared.contracts.adapters import AdapterFile
from shared.errors import DormouseError
from shared.storage.adapters import AdapterStore
from shared.storage.cycles import SleepCycleStore
from shared.storage.late import LateStore
from worker.context import Context
from worker.workplace import discard, workplaces

log = logging.getLogger(__name__)


async def tidy(context: Context) -> None:
    """Delete it."""
    await _delete_workplaces(context)
    await _delete_erased(context)
    await _delete_late(context)


async def _delete_workplaces(context: Context) -> None:
    """What is left of an ended cycle holds all examples, and perhaps files of no version."""
    found = await asyncio.to_thread(workplaces, context.settings)
    if not found:
        return
    async with context.sessions.begin() as session:
        ended = await SleepCycleStore(session).ended(list(found))
    for cycle_id in ended:
        try:
            await discard(context.sessions, found[cycle_id])
        except OSError as error:
            log.warning("the workplace of ended cycle %s is still on disk: %s", cycle_id, error)


async def _delete_erased(context: Context) -> None:
    """Late, since an engine that still needs them would die."""
    before = datetime.now(UTC) - timedelta(seconds=context.settings.erased_adapter_wait_s)
    async with context.sessions.begin() as session:
        erased = await AdapterStore(session).erased(before)
    for adapter in erased:
        if await asyncio.to_thread(Path(adapter.path).exists):
            await _unload(context, adapter)
            try:
                await asyncio.to_thread(shutil.rmtree, adapter.path)
            except OSError as error:
                log.warning("erased version %s is still on disk: %s", adapter.version, error)
            else:
                log.info("the files of erased version %s are deleted", adapter.version)


async def _delete_late(context: Context) -> None:
    """What erased authors had said before, in replies that ended only after it."""
    async with context.sessions.begin() as session:
        trace_ids = await LateStore(session).delete_all()
    for trace_id in trace_ids:
        log.info("trace %s came late and is deleted: its author was erased", trace_id)


async def _unload(context: Context, adapter: AdapterFile) -> None:
    """Let the engine forget it; one that is away forgets by itself."""
    try:
        await context.engine.unload_adapter(adapter.engine_name)
    except DormouseError as error:
        log.info("erased adapter %s is not unloaded: %s", adapter.version, error.message)
