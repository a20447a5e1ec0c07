"""The trace spool: where a trace waits, fsynced, while PostgreSQL is away.

One file per trace, written beside and renamed, so that a crash leaves whole files only. Replaying
is idempotent: the trace's id is the row's key.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import orjson

from shared.contracts.traces import Trace
from shared.errors import StorageError

SUFFIX = ".trace.json"
REJECTED = ".rejected"

log = logging.getLogger(__name__)


class TraceSpool:
    """A directory of traces that PostgreSQL does not have yet.

    Args:
        directory: Made if it is missing.
        max_bytes: Above this, nothing more is accepted.
    """

    def __init__(self, directory: Path, max_bytes: int) -> None:
        self._directory = directory
        self._max_bytes = max_bytes

    def write(self, trace: Trace) -> None:
        """Keep a trace; it is on disk when this returns.

        Raises:
            StorageError: If the spool is full or the disk refuses.
        """
        content = trace.model_dump_json().encode()
        used = sum(map(_size, self._paths()))
        if used + len(content) > self._max_bytes:
            raise StorageError(
                f"PostgreSQL is away and the spool {self._directory} is full ({used} bytes). "
                "Bring PostgreSQL back, or raise DORMOUSE_SPOOL_MAX_BYTES."
            )
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            partial = self._directory / f"{trace.id}.partial"
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(self._directory / f"{trace.id}{SUFFIX}")
            self._sync_directory()
        except OSError as error:
            raise StorageError(f"The spool {self._directory} cannot be written: {error}") from error

    def traces(self) -> Iterator[Trace]:
        """The waiting traces, oldest first."""
        for path in self._paths():
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                # Another process of this API replayed it.
                continue
            try:
                # Not `model_validate_json`, which reads less nested JSON than could be written.
                yield Trace.model_validate(orjson.loads(content))
            except ValueError as error:
                log.error("spooled trace %s cannot be read: %s", path.name, error)
                with suppress(FileNotFoundError):
                    path.rename(path.with_suffix(REJECTED))

    def remove(self, trace: Trace) -> None:
        """PostgreSQL has it now."""
        (self._directory / f"{trace.id}{SUFFIX}").unlink(missing_ok=True)

    def set_aside(self, trace: Trace) -> None:
        """PostgreSQL will never take it: keep it for a person, out of the way of the others."""
        path = self._directory / f"{trace.id}{SUFFIX}"
        with suppress(FileNotFoundError):
            path.rename(path.with_suffix(REJECTED))

    @property
    def num_set_aside(self) -> int:
        """How many wait for a person."""
        return len(list(self._directory.glob(f"*{REJECTED}")))

    def __len__(self) -> int:
        return len(self._paths())

    def _paths(self) -> list[Path]:
        return sorted(self._directory.glob(f"*{SUFFIX}"))

    def _sync_directory(self) -> None:
        descriptor = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _size(path: Path) -> int:
    """Bytes; none of a file that was replayed meanwhile."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
