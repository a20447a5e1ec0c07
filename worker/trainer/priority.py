"""Chats come first where the engine has the same cores."""

import os
from contextlib import suppress
from pathlib import Path

NICENESS = 19
# Where the kernel shares out time by session, niceness ranks only within one; this ranks sessions.
AUTOGROUP = Path("/proc/self/autogroup")


def give_way() -> None:
    """Take the lowest priority; for the whole session where it is the process's own."""
    os.nice(NICENESS)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):
            AUTOGROUP.write_text(str(NICENESS))
