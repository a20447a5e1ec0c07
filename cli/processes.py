"""Processes known by more than a number, and how to leave none of them behind.

A pid alone can be used again by a stranger, so a process is remembered with its start, counted from
the boot: seconds since the epoch move for every process when the clock is set. What a service
started in turn is found in two ways: by its session (each service leads one), and, for descendants
that opened a session of their own, by a mark in their environment.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import psutil

MARK = "DORMOUSE_SERVICE"
# Linux counts starts in hundredths of a second.
TOLERANCE_S = 0.05
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class ProcessId:
    """One process, and no other that gets its number later.

    Attributes:
        pid: Its number.
        started_s: Its start, in seconds since the boot (Linux; elsewhere since the epoch).
    """

    pid: int
    started_s: float

    @classmethod
    def of(cls, pid: int) -> "ProcessId":
        """The process that has this number now.

        Raises:
            psutil.NoSuchProcess: If there is none.
        """
        return cls(pid, _started_s(psutil.Process(pid)))

    def alive(self) -> bool:
        """Whether it still runs; a zombie does not."""
        try:
            process = psutil.Process(self.pid)
            same = abs(_started_s(process) - self.started_s) < TOLERANCE_S
            return bool(same and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False

    def send(self, signum: int) -> None:
        """Send a signal, if it still runs."""
        if self.alive():
            try:
                os.kill(self.pid, signum)
            except ProcessLookupError:
                return


def die_with_parent(signum: signal.Signals) -> Callable[[], None]:
    """For `preexec_fn`: the kernel sends `signum` once the starting thread is gone (Linux)."""
    parent = os.getpid()

    def ask_kernel() -> None:
        if _libc is None:
            return
        _libc.prctl(_PR_SET_PDEATHSIG, int(signum), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return ask_kernel


def descendants(leaders: Iterable[ProcessId], mark: str) -> list[psutil.Process]:
    """All running processes in the leaders' sessions, or with `mark` at the start of theirs.

    Args:
        leaders: Processes that were started as session leaders; they may be gone.
        mark: A prefix of the `DORMOUSE_SERVICE` variable.
    """
    sessions = {leader.pid for leader in leaders if not _reused(leader)}
    found = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            if os.getsid(process.pid) in sessions or _mark_of(process).startswith(mark):
                found.append(process)
        except (psutil.Error, ProcessLookupError, PermissionError):
            continue
    return found


def sweep(leaders: Iterable[ProcessId], mark: str) -> int:
    """Kill what is left of the leaders, and all that they started.

    Returns:
        The number of processes killed.
    """
    leaders = tuple(leaders)
    num_killed = 0
    for _ in range(5):  # a process may be started while we look
        found = descendants(leaders, mark)
        if not found:
            break
        for process in found:
            try:
                process.kill()
                num_killed += 1
            except psutil.Error:
                continue
        psutil.wait_procs(found, timeout=2.0)
    return num_killed


def _started_s(process: psutil.Process) -> float:
    since_s = psutil.boot_time() if psutil.LINUX else 0.0
    return float(process.create_time() - since_s)


def _reused(leader: ProcessId) -> bool:
    """Whether the number now belongs to another process (a session keeps it from that)."""
    try:
        now = ProcessId.of(leader.pid)
    except psutil.NoSuchProcess:
        return False
    return abs(now.started_s - leader.started_s) >= TOLERANCE_S


def _mark_of(process: psutil.Process) -> str:
    try:
        return str(process.environ().get(MARK, "\0"))
    except psutil.Error:
        return "\0"
