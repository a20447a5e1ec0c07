"""Where a local stack lives, and the addresses and keys that it keeps there."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from cli.processes import ProcessId

PROJECT = Path(__file__).resolve().parents[1]
LOCAL_SERVICES = "DORMOUSE_LOCAL_SERVICES"


def default_home() -> Path:
    """`DORMOUSE_HOME`, or `.dormouse` in the project."""
    named = os.environ.get("DORMOUSE_HOME")
    return Path(named).resolve() if named else PROJECT / ".dormouse"


@dataclass(frozen=True)
class Home:
    """The folder that holds everything of one local stack.

    Attributes:
        path: The folder itself, absolute.
        assets: Where `engine-venv` and `model` lie; several homes may share them.
    """

    path: Path
    assets: Path

    @classmethod
    def at(cls, path: Path | None = None, assets: Path | None = None) -> "Home":
        """The home at `path`; what `make setup` built is looked for there, then in the default."""
        home = (path or default_home()).resolve()
        if assets is None:
            assets = home if (home / "engine-venv").exists() else default_home()
        return cls(home, assets.resolve())

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def local_env(self) -> Path:
        return self.path / "local.env"

    @property
    def events(self) -> Path:
        return self.run / "events.jsonl"

    @property
    def state(self) -> Path:
        return self.run / "stack.json"

    @property
    def lock(self) -> Path:
        return self.run / "lock"

    @property
    def engine_python(self) -> Path:
        return self.assets / "engine-venv" / "bin" / "python"

    @property
    def model(self) -> Path:
        return self.assets / "model"

    def make_folders(self) -> None:
        """Create what the stack writes to."""
        for name in ("logs", "run", "adapters", "spool"):
            (self.path / name).mkdir(parents=True, exist_ok=True)

    def read_env(self) -> dict[str, str]:
        """The addresses and keys of the last start; empty before the first."""
        return {
            name: value
            for name, value in dotenv_values(self.local_env, interpolate=False).items()
            if value is not None
        }

    def write_env(self, values: Mapping[str, str]) -> None:
        """Keep addresses and keys in `local.env`, for this user only."""
        lines = ["# Written by `dormouse up`. Keys stay the same over restarts."]
        lines += [f"{name}='{value}'" for name, value in sorted(values.items())]
        write_private(self.local_env, "\n".join(lines) + "\n")


def kept_or_new(name: str, before: Mapping[str, str], environ: Mapping[str, str]) -> str:
    """A key: the caller's, else the one kept from the last start, else a new random one."""
    return environ.get(name) or before.get(name) or f"dm-{secrets.token_urlsafe(24)}"


def write_private(path: Path, text: str) -> None:
    """Replace a file at once; nobody but its owner can read it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


@dataclass(frozen=True)
class ServiceState:
    """What one service is doing; `process` is None while nothing runs."""

    state: str
    process: ProcessId | None = None
    num_restarts: int = 0


@dataclass(frozen=True)
class StackState:
    """What `run/stack.json` says of a stack.

    Attributes:
        stack_id: The mark on everything that it started.
        supervisor: Its supervisor's process.
        url: Where the API answers.
        started_at: Seconds since the epoch.
        services: Each service's state.
    """

    stack_id: str
    supervisor: ProcessId
    url: str
    started_at: float
    services: dict[str, ServiceState] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Whether every service is ready."""
        return bool(self.services) and all(
            service.state in ("ready", "done") for service in self.services.values()
        )

    def write(self, path: Path) -> None:
        """Replace the state file."""
        write_private(path, json.dumps(asdict(self), indent=1))

    @classmethod
    def read(cls, path: Path) -> "StackState | None":
        """What the state file says, or None when there is none (or half of one)."""
        try:
            raw: dict[str, Any] = json.loads(path.read_text())
            return cls(
                stack_id=raw["stack_id"],
                supervisor=ProcessId(**raw["supervisor"]),
                url=raw["url"],
                started_at=raw["started_at"],
                services={
                    name: ServiceState(
                        state=service["state"],
                        process=ProcessId(**service["process"]) if service["process"] else None,
                        num_restarts=service["num_restarts"],
                    )
                    for name, service in raw["services"].items()
                },
            )
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
