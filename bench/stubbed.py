"""The whole stack in front of an engine that costs nothing."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.gateways import free_port, running
from bench.stub_engine import MODEL
from cli.home import Home
from cli.stack import LocalStack


@contextmanager
def stubbed(place: Path) -> Iterator[LocalStack]:
    """A stack of its own in an empty folder, running to the end of the block."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    argv = [sys.executable, "-m", "bench.stub_engine", str(port)]
    env = {"DORMOUSE_ENGINE_URL": url, "DORMOUSE_BASE_MODEL_NAME": MODEL}
    with (
        running(argv, f"{url}/health", place / "stub.log"),
        LocalStack(place / "stack", env=env, assets=Home.at(None, None).path) as stack,
    ):
        stack.start()
        yield stack
