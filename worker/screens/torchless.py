"""Imports without torch: spaCy and Presidio load it wherever they find it, and need none of it.

The trainer alone holds torch, in a process of its own. What is loaded already stays as it is.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

HEAVY = ("torch", "transformers")


@contextmanager
def torchless() -> Iterator[None]:
    """Inside, an import of these says that they are not installed."""
    hidden = [name for name in HEAVY if name not in sys.modules]
    for name in hidden:
        # What Python's import system takes for "not there".
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
