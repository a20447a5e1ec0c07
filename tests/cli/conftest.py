"""Homes for real stacks, and an API that is played."""

import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.api import FakeApi


@pytest.fixture
def home() -> Iterator[Path]:
    """A short path, because a Unix socket's may have 107 bytes."""
    path = Path(tempfile.mkdtemp(prefix="dormouse test 5%+"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    with FakeApi() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("DORMOUSE_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("DORMOUSE_API_KEY", "chat-key")
        monkeypatch.setenv("DORMOUSE_ADMIN_KEY", "admin-key")
        yield server
        server.shutdown()
        thread.join()
