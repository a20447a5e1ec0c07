"""What must not stay on disk: files of erased versions, what a trainer left of an ended cycle."""

import asyncio
import logging
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from shared.contracts.adapters import AdapterFile
from shared.engine.adapter_files import content_sha256
from shared.errors import DormouseError
from shared.storage.adapters import AdapterStore
from shared.storage.cycles import SleepCycleStore
from worker.context import Context
from worker.train import TRAINED, WORKPLACE_PREFIX

log = logging.getLogger(__name__)


async def tidy(context: Context) -> None:
    """Delete it."""
    await _delete_workplaces(context)
    await _delete_erased(context)


async def _delete_workplaces(context: Context) -> None:
    """A worker that was killed in its cycle left all examples there, or files of no version."""
    found = await asyncio.to_thread(_workplaces, context.settings.adapters_dir)
    if not found:
        return
    async with context.sessions.begin() as session:
        ended = await SleepCycleStore(session).ended(list(found))
    for cycle_id in ended:
        await _delete_unrecorded(context, found[cycle_id] / TRAINED)
        await asyncio.to_thread(shutil.rmtree, found[cycle_id], ignore_errors=True)


async def _delete_unrecorded(context: Context, trained: Path) -> None:
    """Delete the copy that nobody recorded: nothing else knows of it."""
    if not await asyncio.to_thread(trained.is_dir):
        return
    sha256 = await asyncio.to_thread(content_sha256, trained)
    async with context.sessions.begin() as session:
        if await AdapterStore(session).any_of(sha256):
            return
    copy = context.settings.adapters_dir / sha256
    await asyncio.to_thread(shutil.rmtree, copy, ignore_errors=True)


def _workplaces(adapters_dir: Path) -> dict[UUID, Path]:
    found = {}
    for path in adapters_dir.glob(f"{WORKPLACE_PREFIX}*"):
        try:
            found[UUID(path.name.removeprefix(WORKPLACE_PREFIX))] = path
        except ValueError:
            continue
    return found


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


async def _unload(context: Context, adapter: AdapterFile) -> None:
    """Let the engine forget it; one that is away forgets by itself."""
    try:
        await context.engine.unload_adapter(adapter.engine_name)
    except DormouseError as error:
        log.info("erased adapter %s is not unloaded: %s", adapter.version, error.message)
