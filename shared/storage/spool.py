"""The trace spool: where a trace waits, fsynced, while PostgreSQL is away.

One file per trace, written beside and renamed, so that a crash leaves whole files only. Replaying
is idempotent: the trace's id is the row's key.
"""

import logging
import math
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from uuid import UUID

import orjson

from shared.contracts.traces import Trace
from shared.errors import StorageError

SUFFIX = ".trace.json"
REJECTED = ".rejected"
COUNT_INTERVAL_S = 1.0

log = logging.getLogger(__name__)


class TraceSpool:
    """A directory of traces that PostgreSQL does not have yet.

    Args:
        directory: Made if it is missing.
        max_bytes: Above this, nothing more is accepted, but for what other processes wrote within
            the last second.
    """

    def __init__(self, directory: Path, max_bytes: int) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        self._num_bytes = 0
        self._counted_at = -math.inf

    def write(self, trace: Trace) -> None:
        """Keep a trace; it is on disk when this returns.

        Raises:
            StorageError: If the spool is full or the disk refuses.
        """
        content = trace.model_dump_json().encode()
        self._make_room(len(content))
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
        self._num_bytes += len(content)

    def _make_room(self, num_bytes: int) -> None:
        """See that a trace fits. All files are counted once a second, and before one is refused."""
        is_old = time.monotonic() - self._counted_at > COUNT_INTERVAL_S
        if is_old or self._num_bytes + num_bytes > self._max_bytes:
            self._num_bytes = sum(map(_size, self._paths()))
            self._counted_at = time.monotonic()
        if self._num_bytes + num_bytes > self._max_bytes:
            raise StorageError(
                f"PostgreSQL is away and the spool {self._directory} is full "
                f"({self._num_bytes} bytes). Bring PostgreSQL back, or raise "
                "DORMOUSE_SPOOL_MAX_BYTES."
            )

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

    def num_of(self, tenant_id: UUID, authors: Sequence[str]) -> int:
        """How many files hold what an author said, those that wait for a person among them."""
        return len(list(self._of(tenant_id, authors)))

    def erase(self, tenant_id: UUID, authors: Sequence[str], before: datetime) -> int:
        """Delete what an author said before then.

        Returns:
            How many files there were.

        Raises:
            StorageError: If the disk refuses.
        """
        num_erased = 0
        for path, said_at in self._of(tenant_id, authors):
            if said_at is not None and said_at >= before:
                continue
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise StorageError(f"{path} cannot be deleted: {error}") from error
            log.info("spooled trace %s is deleted: its author was erased", path.name.split(".")[0])
            num_erased += 1
        return num_erased

    def _of(
        self, tenant_id: UUID, authors: Sequence[str]
    ) -> Iterator[tuple[Path, datetime | None]]:
        """Files and when they were said; None of what cannot be read and names the author."""
        for path in sorted(self._directory.glob("*")):
            try:
                content = path.read_bytes()
            except (FileNotFoundError, IsADirectoryError):
                continue
            if not any(author.encode() in content for author in authors):
                continue
            try:
                trace = Trace.model_validate(orjson.loads(content))
            except ValueError:
                yield path, None
                continue
            if trace.tenant_id == tenant_id and trace.author in authors:
                yield path, trace.created_at

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
