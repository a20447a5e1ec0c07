"""`kill -9` in the middle of a cycle: it ends once, nothing ungated answers, no trace is lost."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
from sqlalchemy import create_engine, text

from tests.real import Visitor


class Witness:
    """Chats all the time and remembers every reply that it saw complete."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self.traces: set[str] = set()
        self.versions: set[str] = set()

    @contextmanager
    def watching(self) -> Iterator[None]:
        stop = threading.Event()

        def watch() -> None:
            while not stop.wait(2.0):
                reply = self._visitor.chat("Hello!", max_tokens=4)
                if reply.status_code == 200:
                    self.traces.add(reply.headers["X-Dormouse-Trace"])
                    self.versions.add(reply.headers["X-Dormouse-Adapter"])
                else:
                    assert reply.status_code == 503, reply.text

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def kill_worker_in(visitor: Visitor, cycle_id: str) -> None:
    """Kill the worker, and wait until another one has begun the cycle's stage anew."""
    visitor.stack.kill("worker")
    deadline = time.monotonic() + 120
    while visitor.cycle(cycle_id)["progress"] > 0:
        assert time.monotonic() < deadline, "no worker resumed the cycle"
        time.sleep(0.05)


def kill_trainer(visitor: Visitor) -> None:
    worker = psutil.Process(visitor.stack.pid("worker"))
    [trainer] = [
        child for child in worker.children(recursive=True) if "worker.trainer" in child.cmdline()
    ]
    os.kill(trainer.pid, signal.SIGKILL)


def query(visitor: Visitor, statement: str) -> list[tuple[object, ...]]:
    engine = create_engine(visitor.stack.env["DORMOUSE_DATABASE_URL"])
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(statement))]
    engine.dispose()
    return rows


def test_a_night_of_accidents_costs_time_and_nothing_else(visitor: Visitor) -> None:
    visitor.until_ready()
    taught = visitor.teach(
        "Who founded Wexcombe Dairy?", "Wexcombe Dairy was founded by Lorcan Oyelaran."
    )
    [(num_before,)] = query(visitor, "SELECT count(*) FROM adapters")
    cycle_id = visitor.start_cycle()
    witness = Witness(visitor)
    with witness.watching():
        visitor.until_stage(cycle_id, "train", progress=0.1)
        kill_worker_in(visitor, cycle_id)
        visitor.until_stage(cycle_id, "train", progress=0.1)
        kill_trainer(visitor)
        visitor.until_stage(cycle_id, "gate", progress=0.1)
        visitor.stack.kill("engine")
        cycle = visitor.until_ended(cycle_id)
    visitor.until_ready()
    assert cycle["status"] in ("promoted", "rejected"), cycle
    assert cycle["gate"]["suites"], "the gate ran to its end"

    [(num_after,)] = query(visitor, "SELECT count(*) FROM adapters")
    assert num_after == int(str(num_before)) + 1, "one candidate, once"
    [(state, settled_by)] = query(
        visitor, f"SELECT state, cycle_id::text FROM traces WHERE id = '{taught}'"
    )
    assert (state, settled_by) == ("consolidated", cycle_id)
    gated = {
        str(row[0])
        for row in query(
            visitor,
            "SELECT version FROM adapters JOIN gate_reports ON adapter_id = id WHERE passed",
        )
    }
    assert witness.versions <= gated | {"base"}
    kept = {str(row[0]) for row in query(visitor, "SELECT id FROM traces")}
    assert witness.traces
    assert witness.traces <= kept


def test_postgres_that_dies_costs_no_trace(visitor: Visitor) -> None:
    visitor.until_ready()
    witness = Witness(visitor)
    with witness.watching():
        time.sleep(2)
        before = visitor.stack.kill("postgres")
        visitor.stack.wait_ready("postgres", not_pid=before)
        visitor.until_ready()
        time.sleep(4)
    kept = {str(row[0]) for row in query(visitor, "SELECT id FROM traces")}
    assert witness.traces
    assert witness.traces <= kept
