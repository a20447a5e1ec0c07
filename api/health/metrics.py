"""What Prometheus reads; several processes of one API put their numbers together."""

import os
from pathlib import Path

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"

CHATS = Counter("dormouse_chats_total", "Chats by how they ended.", ["status", "adapter"])
FIRST_TOKEN_S = Histogram("dormouse_first_token_seconds", "Time to the first token of a stream.")
CHAT_S = Histogram(
    "dormouse_chat_seconds", "Time of a whole chat.", buckets=(0.1, 0.3, 1, 3, 10, 30, 100, 300)
)
WAITING = Gauge(
    "dormouse_waiting_chats", "Chats that wait for a slot.", multiprocess_mode="livesum"
)
# Each process says the same of these: the last word counts.
SPOOLED = Gauge(
    "dormouse_spooled_traces",
    "Traces on disk that wait for the database.",
    multiprocess_mode="mostrecent",
)
READY = Gauge(
    "dormouse_ready",
    "1 if database, engine and active adapter are ready.",
    multiprocess_mode="mostrecent",
)


def exposition() -> bytes:
    """Everything in Prometheus' text format, of all processes if there are several."""
    directory = os.environ.get(DIRECTORY)
    if directory is None:
        return generate_latest(REGISTRY)
    _forget_dead(Path(directory))
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def _forget_dead(directory: Path) -> None:
    """What a process that is gone counted stays; that it has chats waiting does not."""
    for path in directory.glob("gauge_live*_*.db"):
        pid = path.stem.rpartition("_")[2]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            mark_process_dead(int(pid), str(directory))  # type: ignore[no-untyped-call]
