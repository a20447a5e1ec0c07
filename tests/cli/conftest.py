"""Homes for real stacks: short paths, because a Unix socket's path may have 107 bytes."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def home() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="dormouse test 5%+"))
    yield path
    shutil.rmtree(path)
