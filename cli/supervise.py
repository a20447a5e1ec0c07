"""The supervisor's process: `python -m cli.supervise`, started by `cli.stack`.

It holds a lock on its home for as long as it lives, writes what happens to `run/events.jsonl` and
the state to `run/stack.json`, and ends everything on SIGTERM, SIGINT or, when attached, once its
standard input closes (whoever started it is gone).
"""

import argparse
import fcntl
import json
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from cli.errors import StackError
from cli.home import Home, ServiceState, StackState
from cli.plan import Plan, base_environment, make_plan
from cli.processes import ProcessId, sweep
from cli.service import STACK, Event
from cli.supervisor import Supervisor

MIN_FREE_BYTES = 2 * 1024**3
ALREADY_RUNNING = 3


class StopRequest:
    """Whether somebody asked the supervisor to end.

    Args:
        attached: Also end once standard input closes.
    """

    def __init__(self, *, attached: bool) -> None:
        self._asked = False
        self._attached = attached
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(signum, self._ask)

    def __call__(self) -> bool:
        if self._attached and not self._asked and select.select([0], [], [], 0)[0]:
            self._asked = not os.read(0, 64)
        return self._asked

    def _ask(self, signum: int, frame: object) -> None:
        self._asked = True


class Journal:
    """Writes events for whoever follows, and the state for `status`, `down` and the guard."""

    def __init__(self, home: Home, *, stack_id: str) -> None:
        self._home = home
        self._stack_id = stack_id
        self._started_at = time.time()
        self._events: IO[str] = home.events.open("w")
        self.url = ""

    def event(self, event: Event) -> None:
        """Add one event."""
        self._events.write(json.dumps(event.to_json()) + "\n")
        self._events.flush()
        print(f"{event.service}: {event.kind} {event.detail}".rstrip(), flush=True)

    def state(self, supervisor: Supervisor) -> None:
        """Write what every service is doing now."""
        StackState(
            stack_id=self._stack_id,
            supervisor=ProcessId.of(os.getpid()),
            url=self.url,
            started_at=self._started_at,
            services={
                name: ServiceState(child.state, child.process, child.num_restarts)
                for name, child in supervisor.children.items()
            },
        ).write(self._home.state)


def supervise(home: Home, *, port: int | None, only: tuple[str, ...], attached: bool) -> int:
    """Run a stack until it is asked to end; returns the exit status."""
    should_stop = StopRequest(attached=attached)
    home.make_folders()
    with home.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return ALREADY_RUNNING
        stack_id = secrets.token_hex(8)
        journal = Journal(home, stack_id=stack_id)
        try:
            _clean_up_after_last(home, journal)
            _check_disk(home.path)
            plan = make_plan(home, port=port, environ=os.environ, only=only)
            home.write_env(plan.env)
        except StackError as error:
            journal.event(Event(STACK, "failed", error.message))
            return 1
        return run_plan(home, plan, journal, stack_id, should_stop)


def run_plan(
    home: Home, plan: Plan, journal: Journal, stack_id: str, should_stop: StopRequest
) -> int:
    """Supervise a plan's services beside a guard; returns the exit status."""
    journal.url = plan.url
    supervisor = Supervisor(
        plan.services,
        logs=home.logs,
        stack_id=stack_id,
        env=base_environment(os.environ, plan.env),
        on_event=journal.event,
        on_change=journal.state,
    )
    guard = subprocess.Popen(
        [sys.executable, "-m", "cli.guard", str(home.state), stack_id],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    status = 0
    try:
        supervisor.run(should_stop)
    except StackError:
        status = 1
    home.state.unlink(missing_ok=True)
    guard.communicate(b"done")
    return status


def _clean_up_after_last(home: Home, journal: Journal) -> None:
    """End what a killed supervisor left: its lock is free, so whatever its state names is ours."""
    last = StackState.read(home.state)
    home.state.unlink(missing_ok=True)
    if last is None:
        return
    leaders = [service.process for service in last.services.values() if service.process]
    num_killed = sweep(leaders, f"{last.stack_id}/")
    detail = f"the last stack ended without cleaning up; {num_killed} of its processes were ended"
    journal.event(Event(STACK, "starting", detail))


def _check_disk(path: Path) -> None:
    free_bytes = shutil.disk_usage(path).free
    if free_bytes < MIN_FREE_BYTES:
        raise StackError(
            f"Only {free_bytes / 1024**3:.1f} GiB are free at {path}, and a stack needs "
            f"{MIN_FREE_BYTES / 1024**3:.0f} GiB. Make room, or choose another disk with --home."
        )


def main() -> int:
    """Parse the command line and supervise."""
    parser = argparse.ArgumentParser(prog="python -m cli.supervise")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--assets", type=Path, required=True)
    parser.add_argument("--port", type=int)
    parser.add_argument("--only", default="")
    parser.add_argument("--attached", action="store_true")
    arguments = parser.parse_args()
    return supervise(
        Home(arguments.home, arguments.assets),
        port=arguments.port,
        only=tuple(name for name in arguments.only.split(",") if name),
        attached=arguments.attached,
    )


if __name__ == "__main__":
    sys.exit(main())
