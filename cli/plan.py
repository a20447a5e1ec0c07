"""What the local stack consists of: services as data, and the environment that they share."""

import os
import socket
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cli import engine, postgres, valkey
from cli.answers import answers
from cli.errors import StackError
from cli.home import LOCAL_SERVICES, PROJECT, Home, kept_or_new
from cli.processes import MARK
from cli.service import Service

HOST = "127.0.0.1"
# A service that we do not start when the caller names another one.
ADDRESSES = {
    "postgres": "DORMOUSE_DATABASE_URL",
    "valkey": "DORMOUSE_REDIS_URL",
    "engine": "DORMOUSE_ENGINE_URL",
}


@dataclass(frozen=True)
class Plan:
    """All that a supervisor needs.

    Attributes:
        services: In the order in which they are started.
        env: The `DORMOUSE_*` variables that the services share, to be kept in `local.env`.
        url: Where the API will answer.
    """

    services: tuple[Service, ...]
    env: dict[str, str] = field(default_factory=dict)
    url: str = ""


def make_plan(
    home: Home, *, port: int | None, environ: Mapping[str, str], only: Collection[str] = ()
) -> Plan:
    """Decide what to start, and prepare what must lie on disk.

    Args:
        home: Where the stack lives.
        port: The API's port; None for a free one.
        environ: The caller's environment. Its `DORMOUSE_*` variables win over ours.
        only: Names of the services wanted; none means all.

    Raises:
        StackError: If the port is taken, or something was not built.
    """
    before = home.read_env()
    given = _given_addresses(environ, before)
    wanted = [name for name in ADDRESSES if (not only or name in only) and name not in given]
    port = _free_port() if port is None else port
    url = f"http://{HOST}:{port}"
    env = {
        **_folders(home),
        **{
            name: kept_or_new(name, before, environ)
            for name in ("DORMOUSE_API_KEY", "DORMOUSE_ADMIN_KEY")
        },
        # The local stack's key belongs to whoever runs it.
        "DORMOUSE_API_KEY_ROLE": "teacher",
        **_settings_of(environ, home),
        **{ADDRESSES[name]: address for name, address in given.items()},
        LOCAL_SERVICES: ",".join(wanted),
        "DORMOUSE_URL": url,
    }
    services = []
    if "postgres" in wanted:
        database = postgres.prepare(home.path)
        env["DORMOUSE_DATABASE_URL"] = database.url
        services.append(database.service())
    if "valkey" in wanted:
        cache = valkey.prepare(home.run, port=_free_port())
        env["DORMOUSE_REDIS_URL"] = cache.url
        services.append(cache.service())
    if "engine" in wanted:
        key = kept_or_new("DORMOUSE_ENGINE_API_KEY", before, environ)
        served = engine.Engine(home, _free_port(), key)
        env |= {"DORMOUSE_ENGINE_URL": served.url, "DORMOUSE_ENGINE_API_KEY": key}
        services.append(served.service())
    ours = [s for s in _our_services(home, port) if not only or s.name in only]
    if any(service.name == "api" for service in ours):
        _check_port(port)
    return Plan(_without_missing_needs([*services, *ours]), env, url)


def base_environment(environ: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of every child: the caller's, the settings, and no proxy for this host."""
    env = {name: value for name, value in environ.items() if name != MARK}
    local = "127.0.0.1,localhost"
    for name in ("NO_PROXY", "no_proxy"):
        env[name] = f"{env[name]},{local}" if env.get(name) else local
    return {**env, "PYTHONUNBUFFERED": "1", **settings}


def _our_services(home: Home, port: int) -> tuple[Service, ...]:
    python = sys.executable
    celery = (python, "-m", "celery", "-A", "worker.app")
    api_flags = ("--host", HOST, "--port", str(port), "--drain-s", "8")
    log = home.logs
    return (
        Service(
            name="migrations",
            argv=(python, "-m", "alembic", "-c", "migrations/alembic.ini", "upgrade", "head"),
            needs=("postgres",),
            one_shot=True,
            cwd=PROJECT,
        ),
        Service(
            name="api",
            argv=(python, "-m", "api", *api_flags),
            needs=("migrations", "valkey"),
            ready=lambda: answers(f"http://{HOST}:{port}/readyz", timeout_s=2.0),
            cwd=PROJECT,
            stop_timeout_s=12.0,
            # Ready includes the engine, which boots at the same time.
            ready_timeout_s=330.0,
        ),
        Service(
            name="worker",
            argv=(*celery, "worker", "--pool", "solo", "--concurrency", "1", "--loglevel", "INFO"),
            needs=("migrations", "valkey"),
            ready=_LogSays(log / "worker.log", b" ready."),
            cwd=PROJECT,
        ),
        Service(
            name="beat",
            argv=(*celery, "beat", "-s", str(home.run / "beat-schedule"), "--loglevel", "INFO"),
            needs=("migrations", "valkey"),
            ready=_LogSays(log / "beat.log", b"beat: Starting"),
            cwd=PROJECT,
            stop_timeout_s=5.0,
        ),
    )


class _LogSays:
    """Ready once the log's new part has a text: Celery has no other quick sign of life."""

    def __init__(self, log: Path, text: bytes) -> None:
        self._log = log
        self._text = text
        self._size_before = log.stat().st_size if log.exists() else 0

    def __call__(self) -> bool:
        try:
            with self._log.open("rb") as log:
                size = os.fstat(log.fileno()).st_size
                if size < self._size_before:  # the log was turned
                    self._size_before = 0
                log.seek(self._size_before)
                return self._text in log.read()
        except OSError:
            return False


def _given_addresses(environ: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
    """Services that the caller names; what was sourced from a `local.env` is no choice."""

    def sourced(service: str) -> bool:
        if before:  # of this home: the same address as at the last start
            name = ADDRESSES[service]
            ours = before.get(LOCAL_SERVICES, "").split(",")
            return service in ours and environ[name] == before.get(name)
        return service in environ.get(LOCAL_SERVICES, "").split(",")

    return {
        service: environ[name]
        for service, name in ADDRESSES.items()
        if environ.get(name) and not sourced(service)
    }


def _settings_of(environ: Mapping[str, str], home: Home) -> dict[str, str]:
    """The caller's settings: not the addresses, nor another home's folders from a `local.env`.

    Raises:
        StackError: If `local.env` cannot hold one of them.
    """
    own = {*ADDRESSES.values(), "DORMOUSE_URL", "DORMOUSE_HOME", LOCAL_SERVICES, MARK}
    own.add(engine.MORE_ARGUMENTS)
    if LOCAL_SERVICES in environ:
        own |= _folders(home).keys()
    found = {
        name: value
        for name, value in environ.items()
        if name.startswith("DORMOUSE_") and name not in own
    }
    for name, value in found.items():
        if "'" in value or "\n" in value:
            raise StackError(f"{name} holds a single quote or a line break; local.env cannot.")
    return found


def _folders(home: Home) -> dict[str, str]:
    return {
        "DORMOUSE_ADAPTERS_DIR": str(home.path / "adapters"),
        "DORMOUSE_SPOOL_DIR": str(home.path / "spool"),
        "DORMOUSE_BASE_MODEL_PATH": str(home.model),
        "DORMOUSE_BASE_MODEL_NAME": engine.MODEL_NAME,
    }


def _without_missing_needs(services: list[Service]) -> tuple[Service, ...]:
    names = {service.name for service in services}
    return tuple(
        replace(service, needs=tuple(need for need in service.needs if need in names))
        for service in services
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise StackError(
                f"Port {port} on {HOST} cannot be used: {error.strerror}. End what listens there, "
                f"or take another one: dormouse up --port {port + 1}"
            ) from error
