"""The supervisor with small real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

import cli.supervisor
from cli.errors import StackError
from cli.home import PROJECT, StackState
from cli.processes import ProcessId, descendants
from cli.service import STACK, Event, Service
from cli.stack import LocalStack
from cli.supervisor import Supervisor


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


SLEEPER = python("import time; time.sleep(600)")


def run(
    services: list[Service], logs: Path, until: Callable[[list[Event], Supervisor], bool]
) -> list[Event]:
    """Supervise until a condition holds, and return all events."""
    events: list[Event] = []
    supervisor = Supervisor(
        services, logs=logs, stack_id="test", env=os.environ, on_event=events.append
    )
    deadline = time.monotonic() + 20

    def should_stop() -> bool:
        assert time.monotonic() < deadline, events
        return until(events, supervisor)

    supervisor.run(should_stop)
    return events


def ready(events: list[Event], supervisor: Supervisor) -> bool:
    return any(event.service == STACK and event.kind == "ready" for event in events)


def of_kind(events: list[Event], kind: str) -> list[str]:
    return [event.service for event in events if event.kind == kind]


def test_services_start_by_need_and_end_in_reverse(tmp_path: Path) -> None:
    database_up = tmp_path / "up"
    services = [
        Service("first", python(f"open({str(database_up)!r}, 'w'); {SLEEPER[2]}")),
        Service("setup", python("print('made')"), needs=("first",), one_shot=True),
        Service("second", SLEEPER, needs=("setup",), ready=database_up.exists),
    ]
    events = run(services, tmp_path, ready)
    assert of_kind(events, "starting") == ["first", "setup", "second"]
    assert of_kind(events, "stopped") == ["second", "first", STACK]
    assert (tmp_path / "setup.log").read_text() == "made\n"


def test_a_dead_child_is_started_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli.supervisor, "FIRST_BACKOFF_S", 0.01)
    killed: list[int] = []

    def kill_once(events: list[Event], supervisor: Supervisor) -> bool:
        child = supervisor.children["victim"]
        if not killed and child.state == "ready" and child.process:
            killed.append(child.process.pid)
            child.process.send(signal.SIGKILL)
        return child.num_restarts == 1 and child.state == "ready"

    events = run([Service("victim", SLEEPER)], tmp_path, kill_once)
    assert [event.kind for event in events if event.service == "victim"] == [
        *("starting", "ready", "died", "restarting", "starting", "ready", "stopped")
    ]
    assert not psutil.pid_exists(killed[0])


def test_a_crash_loop_ends_the_stack_with_the_end_of_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli.supervisor, "FIRST_BACKOFF_S", 0.01)
    broken = Service("broken", python("raise SystemExit('no such model')"), ready=lambda: False)
    steady = Service("steady", SLEEPER)
    with pytest.raises(StackError, match=r"broken died 6 times") as raised:
        run([steady, broken], tmp_path, lambda events, supervisor: False)
    assert "no such model" in raised.value.message
    assert str(tmp_path / "broken.log") in raised.value.message


def test_a_failed_one_shot_ends_the_stack(tmp_path: Path) -> None:
    setup = Service("setup", python("raise SystemExit('table exists')"), one_shot=True)
    with pytest.raises(StackError, match=r"setup ended with status 1(.|\n)*table exists"):
        run([setup], tmp_path, ready)


def test_a_service_that_never_gets_ready_ends_the_stack(tmp_path: Path) -> None:
    slow = Service("slow", SLEEPER, ready=lambda: False, ready_timeout_s=0.3)
    with pytest.raises(StackError, match="slow runs but was not ready"):
        run([slow], tmp_path, ready)


def test_a_missing_command_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="ghost cannot be started"):
        run([Service("ghost", ("/nowhere/ghost",))], tmp_path, ready)


@pytest.fixture
def stub_stack(home: Path) -> Iterator[tuple[LocalStack, StackState]]:
    """Stand-in services under a supervisor process of their own, ready."""
    command = [sys.executable, "-m", "tests.cli.stub_stack", str(home)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL) as process:
        stack = LocalStack(home)
        try:
            yield stack, wait_for_stub(stack)
        finally:
            process.kill()


def wait_for_stub(stack: LocalStack) -> StackState:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        state = stack.state()
        # plain, stubborn, and the one that stubborn started in a session of its own
        if state and state.ready and len(descendants([], "stub/")) == 3:
            return state
        time.sleep(0.05)
    raise AssertionError("the stand-in services did not start")


def test_stopping_ends_the_stubborn_by_force(stub_stack: tuple[LocalStack, StackState]) -> None:
    stack, _ = stub_stack
    events: list[Event] = []
    assert stack.stop(events.append)
    assert of_kind(events, "stopped") == ["stubborn", "plain", STACK]
    assert next(e for e in events if e.service == "stubborn" and e.kind == "stopped").detail
    assert descendants([], "stub/") == []
    assert stack.state() is None


def test_a_killed_supervisor_leaves_nothing_behind(
    stub_stack: tuple[LocalStack, StackState],
) -> None:
    _, state = stub_stack
    leaders = [service.process for service in state.services.values() if service.process]
    state.supervisor.send(signal.SIGKILL)
    deadline = time.monotonic() + 15
    while descendants(leaders, "stub/") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert descendants(leaders, "stub/") == []


def test_a_pid_that_a_stranger_got_is_left_alone() -> None:
    with subprocess.Popen(SLEEPER) as stranger:
        try:
            recorded = ProcessId(stranger.pid, ProcessId.of(stranger.pid).started_s - 100)
            recorded.send(signal.SIGKILL)
            assert not recorded.alive()
            assert descendants([recorded], "no such mark/") == []
            assert stranger.poll() is None
        finally:
            stranger.kill()


@pytest.mark.skipif(not psutil.LINUX, reason="elsewhere the clock does not move starts")
def test_a_clock_that_is_set_makes_no_stranger_of_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop_once_the_clock_is_set(events: list[Event], supervisor: Supervisor) -> bool:
        if not ready(events, supervisor):
            return False
        boot_time = psutil.boot_time() + 3600
        # What /proc says of the boot is the clock less the uptime.
        monkeypatch.setattr("psutil._psplatform.boot_time", lambda: boot_time)
        return True

    events = run([Service("sleeper", SLEEPER)], tmp_path, stop_once_the_clock_is_set)
    assert of_kind(events, "stopped") == ["sleeper", STACK]
