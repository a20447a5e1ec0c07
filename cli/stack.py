"""The local stack as an object: start it, look at it, hurt it, stop it.

Each stack has a supervisor process of its own (`cli.supervise`); this is a handle on it. Several
handles may look at the same stack, and stacks with different homes run beside each other.

Example:
    with LocalStack(Path("/tmp/my-stack")) as stack:
        stack.start()
        httpx.get(f"{stack.url}/v1/models", headers={"Authorization": f"Bearer {stack.api_key}"})
        stack.kill("engine")
        stack.wait_ready("engine")
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from cli.errors import StackError, StackNotRunningError
from cli.home import PROJECT, Home, StackState
from cli.processes import MARK, ProcessId, sweep
from cli.service import STACK, Event
from cli.supervise import ALREADY_RUNNING

POLL_S = 0.05
STOP_TIMEOUT_S = 90.0
OnEvent = Callable[[Event], None]


class LocalStack:
    """PostgreSQL, Valkey, vLLM, API, worker and beat on this machine.

    Args:
        home: Where it lives; None for `DORMOUSE_HOME` or `.dormouse`.
        port: The API's port; None for a free one.
        env: `DORMOUSE_*` variables beyond those of this process. `DORMOUSE_DATABASE_URL`,
            `DORMOUSE_REDIS_URL` or `DORMOUSE_ENGINE_URL` mean: use that one, start none.
        assets: Where `engine-venv` and `model` lie; None for the home, else the default one.
        only: Names of the services wanted (`postgres valkey engine migrations api worker beat`);
            none means all.
        attached: End the stack when this process ends, however it ends.
    """

    def __init__(
        self,
        home: Path | None = None,
        *,
        port: int | None = None,
        env: Mapping[str, str] | None = None,
        assets: Path | None = None,
        only: Collection[str] = (),
        attached: bool = True,
    ) -> None:
        self.home = Home.at(home, assets)
        self._port = port
        self._env = dict(env or {})
        self._only = tuple(only)
        self._attached = attached
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._num_bytes_read = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def env(self) -> dict[str, str]:
        """All addresses and keys, as in `local.env`."""
        return self.home.read_env()

    @property
    def url(self) -> str:
        """Where the API answers."""
        return self.env["DORMOUSE_URL"]

    @property
    def api_key(self) -> str:
        """The default tenant's key."""
        return self.env["DORMOUSE_API_KEY"]

    @property
    def admin_key(self) -> str:
        """The key for /admin."""
        return self.env["DORMOUSE_ADMIN_KEY"]

    def state(self) -> StackState | None:
        """What runs now; None when nothing does (a stale state file counts as nothing)."""
        state = StackState.read(self.home.state)
        return state if state is not None and state.supervisor.alive() else None

    def start(self, on_event: OnEvent = lambda event: None, *, timeout_s: float = 900.0) -> None:
        """Start everything and return once all of it is ready.

        Args:
            on_event: Told of every step.
            timeout_s: How long to wait before the stack is stopped again.

        Raises:
            StackError: If it is running already, cannot start, or is not ready in time.
        """
        if self.state() is not None:
            raise StackError(
                f"A stack is running in {self.home.path} already. Use `dormouse down`."
            )
        self._spawn()
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            ended = self._ended()  # before the events are read, so that none is missed
            for event in self._new_events():
                on_event(event)
                if event.service == STACK and event.kind == "ready":
                    return
                if event.service == STACK and event.kind == "failed":
                    self._wait_for_end(on_event)
                    raise StackError(event.detail)
            if ended:
                raise StackError(self._why_ended())
            time.sleep(POLL_S)
        self.stop(on_event)
        raise StackError(f"The stack was not ready after {timeout_s:.0f} s; see {self.home.logs}.")

    def wait(self, on_event: OnEvent = lambda event: None) -> None:
        """Follow a started stack until it ends.

        Raises:
            StackError: If it ended because something failed.
        """
        ended = False
        while not ended:
            ended = self._ended()
            for event in self._new_events():
                on_event(event)
                if event.service == STACK and event.kind == "failed":
                    self._wait_for_end(on_event)
                    raise StackError(event.detail)
            time.sleep(POLL_S)

    def stop(self, on_event: OnEvent = lambda event: None) -> bool:
        """End all of it, in reverse order, gracefully and then by force.

        Returns:
            Whether anything was running.
        """
        state = self.state()
        if state is None and self._ended():
            return self._sweep_stale()
        supervisor = state.supervisor if state else self._own_supervisor()
        if self._supervisor is None and self.home.events.exists():
            self._num_bytes_read = self.home.events.stat().st_size  # another handle's start
        supervisor.send(signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while supervisor.alive() and time.monotonic() < deadline:
            for event in self._new_events():
                on_event(event)
            self._ended()  # reaps it, when it is ours
            time.sleep(POLL_S)
        if supervisor.alive():
            supervisor.send(signal.SIGKILL)
            self._sweep_stale()
        for event in self._new_events():
            on_event(event)
        self._forget_supervisor()
        return True

    def pid(self, name: str) -> int:
        """The pid of a service's process.

        Raises:
            StackNotRunningError: If it does not run now.
        """
        return self._process(name).pid

    def kill(self, name: str, signum: int = signal.SIGKILL) -> int:
        """Send a signal to a service's process, and return its pid.

        Raises:
            StackNotRunningError: If it does not run now.
        """
        process = self._process(name)
        process.send(signum)
        deadline = time.monotonic() + 5.0
        while signum == signal.SIGKILL and process.alive() and time.monotonic() < deadline:
            time.sleep(0.01)
        return process.pid

    def wait_ready(self, name: str, *, not_pid: int | None = None, timeout_s: float = 300) -> int:
        """Wait until a service is ready (again), and return its pid.

        Args:
            name: The service.
            not_pid: The pid it had before; waits for another one.
            timeout_s: How long to wait.

        Raises:
            StackError: If the stack ends, or the time is over.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            state = self.state()
            if state is None:
                raise StackNotRunningError(f"The stack in {self.home.path} ended meanwhile.")
            service = state.services.get(name)
            process = service.process if service and service.state == "ready" else None
            if process is not None and process.alive() and process.pid != not_pid:
                return process.pid
            time.sleep(POLL_S)
        raise StackError(f"{name} was not ready after {timeout_s:.0f} s; see {self.home.logs}.")

    def _process(self, name: str) -> ProcessId:
        state = self.state()
        service = state.services.get(name) if state else None
        if service is None or service.process is None:
            raise StackNotRunningError(f"{name} does not run now in {self.home.path}.")
        return service.process

    def _spawn(self) -> None:
        self.home.make_folders()
        self.home.events.unlink(missing_ok=True)
        self._num_bytes_read = 0
        command = [sys.executable, "-m", "cli.supervise", "--home", str(self.home.path)]
        command += ["--assets", str(self.home.assets), "--only", ",".join(self._only)]
        command += ["--port", str(self._port)] if self._port is not None else []
        command += ["--attached"] if self._attached else []
        environ = {name: value for name, value in os.environ.items() if name != MARK}
        with (self.home.logs / "supervisor.log").open("w") as log:
            self._supervisor = subprocess.Popen(
                command,
                cwd=PROJECT,
                env={**environ, **self._env},
                stdin=subprocess.PIPE if self._attached else subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _new_events(self) -> Iterator[Event]:
        if not self.home.events.exists():
            return
        with self.home.events.open("rb") as file:
            file.seek(self._num_bytes_read)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._num_bytes_read += len(line)
                yield Event(**json.loads(line))

    def _own_supervisor(self) -> ProcessId:
        assert self._supervisor is not None
        return ProcessId.of(self._supervisor.pid)

    def _ended(self) -> bool:
        if self._supervisor is not None:
            return self._supervisor.poll() is not None
        return self.state() is None

    def _wait_for_end(self, on_event: OnEvent) -> None:
        while not self._ended():
            for event in self._new_events():
                on_event(event)
            time.sleep(POLL_S)
        self._forget_supervisor()

    def _why_ended(self) -> str:
        status = self._supervisor.returncode if self._supervisor else None
        self._forget_supervisor()
        if status == ALREADY_RUNNING:
            return f"A stack is being started in {self.home.path} already."
        log = self.home.logs / "supervisor.log"
        return f"The supervisor ended with status {status}. {log} says:\n{log.read_text()[-2000:]}"

    def _forget_supervisor(self) -> None:
        if self._supervisor is not None and self._supervisor.poll() is not None:
            if self._supervisor.stdin is not None:
                self._supervisor.stdin.close()
            self._supervisor = None

    def _sweep_stale(self) -> bool:
        self._forget_supervisor()
        state = StackState.read(self.home.state)
        if state is None:
            return False
        leaders = [service.process for service in state.services.values() if service.process]
        num_killed = sweep(leaders, f"{state.stack_id}/")
        self.home.state.unlink(missing_ok=True)
        return num_killed > 0
