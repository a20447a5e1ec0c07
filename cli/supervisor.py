"""Keeps a list of services alive: starts them in order, restarts what dies, ends all together."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cli.child import Child
from cli.errors import StackError
from cli.service import STACK, Event, EventKind, Service

MAX_DEATHS = 5
DEATHS_WINDOW_S = 60.0
FIRST_BACKOFF_S = 0.5
MAX_BACKOFF_S = 8.0
TICK_S = 0.1
CHECK_INTERVAL_S = 0.25


class Supervisor:
    """Runs any list of services; knows nothing of what they are.

    Args:
        services: In the order in which they are started; ended in reverse.
        logs: The folder of their logs.
        stack_id: Marks all that is started, so that it can be found again.
        env: The environment that all of them get.
        on_event: Told of everything that happens.
        on_change: Called after a process or a state changed.
    """

    def __init__(
        self,
        services: Sequence[Service],
        *,
        logs: Path,
        stack_id: str,
        env: Mapping[str, str],
        on_event: Callable[[Event], None],
        on_change: Callable[["Supervisor"], None] = lambda supervisor: None,
    ) -> None:
        self.children = {
            service.name: Child(
                service, log=logs / f"{service.name}.log", mark=f"{stack_id}/{service.name}/"
            )
            for service in services
        }
        self._env = dict(env)
        self._on_event = on_event
        self._on_change = on_change
        self._began = time.monotonic()
        self._announced = False

    def run(self, should_stop: Callable[[], bool]) -> None:
        """Start everything and keep it alive until `should_stop()`; then end everything.

        Raises:
            StackError: If a service cannot be started, or dies too often.
        """
        try:
            while not should_stop():
                for child in self.children.values():
                    self._step(child)
                self._announce()
                time.sleep(TICK_S)
        except StackError as error:
            self._emit(STACK, "failed", error.message)
            raise
        finally:
            self._stop_all()

    def _step(self, child: Child) -> None:
        if child.state in ("starting", "ready"):
            status = child.exit_status()
            if status is not None:
                self._ended(child, status)
            elif child.state == "starting":
                self._check_ready(child)
        elif (child.state == "waiting" and self._may_start(child)) or (
            child.state == "backoff" and time.monotonic() >= child.retry_at
        ):
            self._start(child)

    def _may_start(self, child: Child) -> bool:
        return all(self.children[name].state in ("ready", "done") for name in child.service.needs)

    def _start(self, child: Child) -> None:
        try:
            child.start(self._env)
        except OSError as error:
            raise StackError(
                f"{child.service.name} cannot be started: {error}. "
                f"The command was: {' '.join(child.service.argv)}"
            ) from error
        self._emit(child.service.name, "starting")

    def _check_ready(self, child: Child) -> None:
        service = child.service
        now = time.monotonic()
        if now - child.checked_at < CHECK_INTERVAL_S:
            return
        child.checked_at = now
        waited_s = now - child.started_at
        if not service.one_shot and (service.ready is None or service.ready()):
            child.state = "ready"
            self._emit(service.name, "ready", elapsed_s=waited_s)
        elif waited_s > service.ready_timeout_s:
            raise StackError(
                f"{service.name} runs but was not ready after {service.ready_timeout_s:.0f} s.\n"
                + self._log_of(child)
            )

    def _ended(self, child: Child, status: int) -> None:
        service = child.service
        waited_s = time.monotonic() - child.started_at
        if service.one_shot:
            if status != 0:
                raise StackError(f"{service.name} {_how(status)}.\n{self._log_of(child)}")
            child.state = "done"
            self._emit(service.name, "done", elapsed_s=waited_s)
            return
        self._emit(service.name, "died", _how(status))
        now = time.monotonic()
        child.deaths.append(now)
        num_deaths = sum(now - death < DEATHS_WINDOW_S for death in child.deaths)
        if num_deaths > MAX_DEATHS:
            raise StackError(
                f"{service.name} died {num_deaths} times within {DEATHS_WINDOW_S:.0f} s; the last "
                f"time it {_how(status)}.\n{self._log_of(child)}"
            )
        backoff_s = min(FIRST_BACKOFF_S * 2 ** (num_deaths - 1), MAX_BACKOFF_S)
        child.state = "backoff"
        child.retry_at = now + backoff_s
        child.num_restarts += 1
        self._emit(service.name, "restarting", f"in {backoff_s:g} s")

    def _announce(self) -> None:
        if not self._announced and all(
            child.state in ("ready", "done") for child in self.children.values()
        ):
            self._announced = True
            self._emit(STACK, "ready", elapsed_s=time.monotonic() - self._began)

    def _stop_all(self) -> None:
        self._emit(STACK, "stopping")
        for child in reversed(self.children.values()):
            was_running = child.process is not None
            graceful = child.stop()
            if was_running:
                detail = "" if graceful else f"by force after {child.service.stop_timeout_s:.0f} s"
                self._emit(child.service.name, "stopped", detail)
        self._emit(STACK, "stopped", elapsed_s=time.monotonic() - self._began)

    def _emit(
        self, service: str, kind: EventKind, detail: str = "", elapsed_s: float = 0.0
    ) -> None:
        self._on_change(self)
        self._on_event(Event(service, kind, detail, round(elapsed_s, 2)))

    def _log_of(self, child: Child) -> str:
        return f"The end of {child.log}:\n{child.last_lines()}"


def _how(status: int) -> str:
    return f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
