"""One service's process: starting it, watching it, ending it."""

import os
import subprocess
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from cli.processes import MARK, ProcessId, die_with_parent, sweep
from cli.service import Service

ChildState = Literal["waiting", "starting", "ready", "backoff", "done", "stopped"]

MAX_LOG_BYTES = 10 * 1024 * 1024


class Child:
    """A service and the process that runs it now, if any.

    Args:
        service: What to run.
        log: Where its output goes.
        mark: The value of `DORMOUSE_SERVICE` by which its descendants are found.
    """

    def __init__(self, service: Service, *, log: Path, mark: str) -> None:
        self.service = service
        self.log = log
        self.state: ChildState = "waiting"
        self.started_at = 0.0
        self.retry_at = 0.0
        self.checked_at = 0.0
        self.num_restarts = 0
        self.process: ProcessId | None = None
        self.deaths: deque[float] = deque(maxlen=16)
        self._mark = mark
        self._popen: subprocess.Popen[bytes] | None = None

    def start(self, env: Mapping[str, str]) -> None:
        """Start the process in a session of its own.

        Must be called from the thread that lives as long as the supervisor: the kernel ends the
        child when that thread is gone.

        Raises:
            OSError: If the command cannot be started.
        """
        self._turn_log()
        account = self.service.account
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                self.service.argv,
                env={**env, **self.service.env, MARK: self._mark},
                cwd=self.service.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=account,
                group=account,
                extra_groups=[] if account else None,
                preexec_fn=die_with_parent(self.service.stop_signal),
            )
        self.process = ProcessId.of(self._popen.pid)
        self.state = "starting"
        self.started_at = time.monotonic()

    def exit_status(self) -> int | None:
        """The exit status once the process has ended and all that it started is gone."""
        if self._popen is None or self.process is None:
            return None
        # Peek first: while it is a zombie, nobody else can get its number.
        if os.waitid(os.P_PID, self._popen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return None
        sweep([self.process], self._mark)
        status = self._popen.wait()
        self._popen = None
        self.process = None
        return status

    def ask_to_stop(self) -> None:
        """Send the signal that asks the process to end."""
        if self.process is not None:
            self.process.send(self.service.stop_signal)

    def stop(self) -> bool:
        """End the process, gracefully and then by force.

        Returns:
            Whether it ended by itself in time.
        """
        graceful = True
        if self.process is not None:
            self.ask_to_stop()
            deadline = time.monotonic() + self.service.stop_timeout_s
            while self.exit_status() is None and self.process is not None:
                if time.monotonic() > deadline:
                    graceful = False
                    self.process.send(9)
                    deadline = float("inf")
                time.sleep(0.05)
        self.state = "stopped"
        return graceful

    def last_lines(self, num_lines: int = 12) -> str:
        """The end of its log."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - 16384))
            lines = log.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-num_lines:])

    def _turn_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > MAX_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
