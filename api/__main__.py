"""`python -m api`: serve the API in `DORMOUSE_API_WORKERS` processes on one port.

Whatever they must agree on is in PostgreSQL; each counts its own chats against the limits. A
process that dies is started again by the first, which only watches.
"""

import argparse
import os
import tempfile
from contextlib import ExitStack

import uvicorn

from shared.settings import get_settings

# Read by prometheus_client when it is first imported: where processes put their numbers together.
DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"


def main() -> None:
    """Serve until a signal ends it; running chats may end first."""
    parser = argparse.ArgumentParser(prog="python -m api", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=int, default=8400)
    parser.add_argument(
        "--drain-s", type=int, default=30, help="how long running chats may take at the end"
    )
    arguments = parser.parse_args()
    workers = get_settings().api_workers
    with ExitStack() as stack:
        if workers > 1:
            directory = tempfile.TemporaryDirectory(prefix="dormouse-metrics-")
            os.environ[DIRECTORY] = stack.enter_context(directory)
        uvicorn.run(
            "api.main:app",
            host=arguments.host,
            port=arguments.port,
            workers=workers,
            access_log=False,
            # Nothing here depends on the client's address or scheme.
            proxy_headers=False,
            timeout_graceful_shutdown=arguments.drain_s,
        )


if __name__ == "__main__":
    main()
