"""The local stack with real PostgreSQL and Valkey (as root and as an ordinary user alike)."""

import asyncio
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner
from valkey import Valkey

from cli.errors import StackError, StackNotRunningError
from cli.home import PROJECT, Home, StackState
from cli.main import app
from cli.plan import base_environment, make_plan
from cli.processes import ProcessId, descendants
from cli.service import Event
from cli.stack import LocalStack
from shared.db.announcements import announcements

DATA_SERVICES = ("postgres", "valkey")


def connect(stack: LocalStack) -> psycopg.Connection[tuple[object, ...]]:
    url = stack.env["DORMOUSE_DATABASE_URL"].replace("postgresql+psycopg://", "postgresql://")
    return psycopg.connect(url, autocommit=True)


async def first_announcement(url: str) -> str:
    return await anext(announcements(url, "routes"))


def test_databases_start_survive_a_kill_and_keep_what_was_written(home: Path) -> None:
    stack = LocalStack(home, only=DATA_SERVICES)
    with stack:
        stack.start()
        keys = stack.env
        with connect(stack) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
            assert connection.execute("SHOW fsync").fetchone() == ("on",)
        with Valkey.from_url(keys["DORMOUSE_REDIS_URL"]) as cache:
            assert cache.ping()
        # As the API's directory does, in a folder of any name.
        assert asyncio.run(first_announcement(keys["DORMOUSE_DATABASE_URL"])) == ""
        killed = stack.kill("postgres")
        assert stack.wait_ready("postgres", not_pid=killed, timeout_s=20) != killed
        with connect(stack) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
        state = stack.state()
        assert state is not None
    assert descendants([], f"{state.stack_id}/") == []

    with stack:
        stack.start()
        with connect(stack) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
        for name in ("DORMOUSE_API_KEY", "DORMOUSE_ADMIN_KEY"):
            assert stack.env[name] == keys[name]
    assert (home / "local.env").stat().st_mode & 0o777 == 0o600
    with pytest.raises(StackNotRunningError):
        stack.pid("postgres")


def test_valkey_refuses_those_without_its_password(home: Path) -> None:
    with LocalStack(home, only=["valkey"]) as stack:
        stack.start()
        port = stack.env["DORMOUSE_REDIS_URL"].rsplit(":", 1)[1].removesuffix("/0")
        with socket.create_connection(("127.0.0.1", int(port)), timeout=5) as connection:
            connection.sendall(b"PING\r\n")
            assert connection.recv(64).startswith(b"-NOAUTH")


def test_a_second_start_finds_the_first(home: Path) -> None:
    with LocalStack(home, only=["valkey"]) as stack:
        stack.start()
        with pytest.raises(StackError, match="already"):
            LocalStack(home, only=["valkey"]).start()
        result = CliRunner().invoke(app, ["up", "--home", str(home)])
        assert result.exit_code == 0
        assert "Already running" in result.output


def test_a_stack_ends_with_the_process_that_started_it(home: Path) -> None:
    code = (
        "import os; from pathlib import Path; from cli.stack import LocalStack\n"
        f"LocalStack(Path({str(home)!r}), only=['valkey']).start(); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=PROJECT).returncode == 9
    stack = LocalStack(home)
    deadline = time.monotonic() + 15
    while stack.state() is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert stack.state() is None
    assert StackState.read(stack.home.state) is None


def test_what_a_killed_supervisor_left_is_cleaned_up_by_the_next_start(home: Path) -> None:
    Home.at(home).make_folders()
    stale = StackState("gone", supervisor=_dead_process(), url="", started_at=0.0)
    stale.write(home / "run" / "stack.json")
    events: list[Event] = []
    with LocalStack(home, only=["valkey"]) as stack:
        assert stack.state() is None
        stack.start(events.append)
    assert any("ended without cleaning up" in event.detail for event in events)


def test_a_taken_port_is_a_clear_error(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=f"Port {port} .* --port {port + 1}"):
            LocalStack(home, port=port, only=["api"]).start()


def test_a_missing_engine_environment_says_what_to_run(home: Path) -> None:
    with pytest.raises(StackError, match="make setup"):
        LocalStack(home, assets=home, only=["engine"]).start()


def test_a_service_named_by_the_caller_is_not_started(home: Path) -> None:
    place = Home(home, home)
    place.make_folders()
    environ = {
        "DORMOUSE_DATABASE_URL": "postgresql+psycopg://elsewhere/dormouse",
        "DORMOUSE_ENGINE_URL": "http://gpu:8000",
        "DORMOUSE_LEASE_S": "3",
    }
    plan = make_plan(place, port=None, environ=environ)
    names = [service.name for service in plan.services]
    assert names == ["valkey", "migrations", "api", "worker", "beat"]
    assert environ.items() <= plan.env.items()

    # Our own addresses, sourced from local.env into the shell, are not the caller's choice.
    place.write_env(plan.env)
    again = make_plan(place, port=None, environ=place.read_env())
    assert [service.name for service in again.services] == names


def test_another_homes_local_env_in_the_shell_does_not_reach_a_new_home(home: Path) -> None:
    other, new = Home(home / "other", home), Home(home / "new", home)
    for place in (other, new):
        place.make_folders()
    sourced = make_plan(other, port=None, environ={}, only=["valkey", "api"]).env
    plan = make_plan(new, port=None, environ=sourced, only=["valkey", "api"])
    assert [service.name for service in plan.services] == ["valkey", "api"]
    assert plan.env["DORMOUSE_SPOOL_DIR"] == str(new.path / "spool")
    assert plan.env["DORMOUSE_REDIS_URL"] != sourced["DORMOUSE_REDIS_URL"]


def test_no_proxy_stands_between_local_services() -> None:
    env = base_environment({"http_proxy": "http://proxy:1", "no_proxy": "intern"}, {})
    assert env["no_proxy"] == "intern,127.0.0.1,localhost"
    assert env["NO_PROXY"] == "127.0.0.1,localhost"


def test_status_and_down_speak_when_nothing_runs(home: Path) -> None:
    status = CliRunner().invoke(app, ["status", "--home", str(home)])
    assert (status.exit_code, "dormouse up" in status.output) == (1, True)
    down = CliRunner().invoke(app, ["down", "--home", str(home)])
    assert (down.exit_code, "Nothing was running" in down.output) == (0, True)


def _dead_process() -> ProcessId:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        return ProcessId(process.pid, 1.0)
