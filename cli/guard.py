"""Outlives a supervisor that is killed, and ends what it left behind.

The kernel already asks the direct children to end (`die_with_parent`); the guard gives them a while
and then kills what remains of them and of all that they started.
"""

import signal
import sys
import time
from pathlib import Path

from cli.home import StackState
from cli.processes import sweep

GRACE_S = 5.0


def main() -> None:
    """Wait on standard input for `done`; if it closes without, the supervisor was killed."""
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    path, stack_id = Path(sys.argv[1]), sys.argv[2]
    if sys.stdin.buffer.read() == b"done":
        return
    state = StackState.read(path)
    leaders = [s.process for s in state.services.values() if s.process] if state else []
    if state is None or state.stack_id != stack_id:
        leaders = []
    for leader in leaders:
        leader.send(signal.SIGTERM)
    deadline = time.monotonic() + GRACE_S
    while any(leader.alive() for leader in leaders) and time.monotonic() < deadline:
        time.sleep(0.1)
    sweep(leaders, f"{stack_id}/")
    now = StackState.read(path)
    if now is not None and now.stack_id == stack_id:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
