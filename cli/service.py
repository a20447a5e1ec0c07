"""A service as data, and what is reported of it."""

import signal
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

EventKind = Literal[
    "starting",  # a process was started
    "ready",  # it answers; of "stack": everything does
    "done",  # a one-shot ended well
    "died",  # it ended by itself
    "restarting",  # it is started anew in a moment
    "stopping",  # of "stack": the end begins
    "stopped",  # ended because it was asked to
    "failed",  # of "stack": why it cannot go on
]

STACK = "stack"


@dataclass(frozen=True)
class Service:
    """One process that the supervisor keeps alive.

    Attributes:
        name: Its name in messages, and of its log.
        argv: The command.
        env: What its environment has beyond the supervisor's.
        needs: Services that must be ready before it starts.
        ready: Whether it answers now; called again and again, returns within a second, never
            raises. None: it is ready once it runs.
        one_shot: It ends by itself; ready means that it ended with 0.
        cwd: Its working directory.
        account: The system account that it runs as; None for the supervisor's own.
        stop_signal: What asks it to end.
        stop_timeout_s: How long it may take to end before it is killed.
        ready_timeout_s: How long it may take to become ready.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    ready: Callable[[], bool] | None = None
    one_shot: bool = False
    cwd: Path | None = None
    account: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout_s: float = 10.0
    ready_timeout_s: float = 60.0


@dataclass(frozen=True)
class Event:
    """Something that happened to a service, or to the whole (`service == "stack"`).

    Attributes:
        service: Whom it is about.
        kind: What happened.
        detail: More for a person, or "".
        elapsed_s: Seconds since the stack (or, when ready, the service) was started.
    """

    service: str
    kind: EventKind
    detail: str = ""
    elapsed_s: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The event as JSON."""
        return asdict(self)
