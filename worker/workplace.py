"""Where a cycle's trainer works until what it made is recorded, beside the adapters."""

import asyncio
import shutil
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from shared.db.session import Sessions
from shared.engine.adapter_files import content_sha256
from shared.settings import Settings
from shared.storage.adapters import AdapterStore

PREFIX = "training-"
# In it: the finished adapter, and what it was asked for.
ADAPTER = "adapter"
JOB = "job.json"


def workplace(settings: Settings, cycle_id: UUID) -> Path:
    """What a killed trainer leaves there, the next goes on from."""
    return settings.adapters_dir / f"{PREFIX}{cycle_id}"


def workplaces(settings: Settings) -> dict[UUID, Path]:
    """All that there are, by cycle."""
    found = {}
    for path in settings.adapters_dir.glob(f"{PREFIX}*"):
        try:
            found[UUID(path.name.removeprefix(PREFIX))] = path
        except ValueError:
            continue
    return found


async def discard(sessions: Sessions, place: Path) -> None:
    """Delete it, and the copy of its adapter if nobody recorded that: nothing else knows of it.

    Raises:
        OSError: If a file cannot be read or deleted.
    """
    trained, orphans = place / ADAPTER, []
    if await asyncio.to_thread(trained.is_dir):
        sha256 = await asyncio.to_thread(content_sha256, trained)
        async with sessions.begin() as session:
            if not await AdapterStore(session).any_of(sha256):
                orphans = [place.parent / sha256]
    await asyncio.to_thread(_delete, place, orphans)


def _delete(place: Path, orphans: Iterable[Path]) -> None:
    # First what is still being copied: it cannot become an orphan then.
    for directory in (*place.glob("copy-*"), *orphans, place):
        if directory.exists():
            shutil.rmtree(directory)
