"""A supervisor of small stand-in services: `python -m tests.cli.stub_stack HOME`.

It takes the real way from the plan on, guard and state file included.
"""

import sys
from pathlib import Path

from cli.home import Home
from cli.plan import Plan
from cli.service import Service
from cli.supervise import Journal, StopRequest, run_plan

# Ignores SIGTERM, and starts a process in a session of its own that does so too.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if len(sys.argv) > 1:
    subprocess.Popen([sys.executable, "-c", sys.argv[1]], start_new_session=True)
time.sleep(600)
"""


def main() -> int:
    """Supervise two services until asked to end."""
    home = Home.at(Path(sys.argv[1]))
    home.make_folders()
    services = (
        Service("plain", (sys.executable, "-c", "import time; time.sleep(600)")),
        Service("stubborn", (sys.executable, "-c", STUBBORN, STUBBORN), stop_timeout_s=0.5),
    )
    journal = Journal(home, stack_id="stub")
    return run_plan(home, Plan(services), journal, "stub", StopRequest(attached=False))


if __name__ == "__main__":
    sys.exit(main())
