"""`python -m worker.trainer JOB.json`: train one adapter, tell of it line by line on stdout.

Every line is a JSON object: `{"event": "step", ...}`, at the end `{"event": "done", ...}` or
`{"event": "error", "message": ...}` with an exit status other than 0. The rest goes to stderr.
"""

import json
import logging
import os
import sys
from pathlib import Path

from worker.trainer.job import TrainJob
from worker.trainer.priority import give_way
from worker.trainer.run import run
from worker.trainer.train import Report, TrainingError

logger = logging.getLogger("worker.trainer")


def main(arguments: list[str]) -> int:
    """Run the job named on the command line; returns the exit status."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(name)s: %(message)s")
    # Libraries may print: the real stdout is kept for the events alone.
    events = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def report(event: dict[str, object]) -> None:
        events.write(json.dumps(event) + "\n")

    give_way()
    if len(arguments) != 1:
        report({"event": "error", "message": "Usage: python -m worker.trainer JOB.json"})
        return 2
    return work(Path(arguments[0]), report)


def work(path: Path, report: Report) -> int:
    """Do the job in the file at `path`, whatever comes of it is reported; the exit status."""
    try:
        job = TrainJob.model_validate_json(path.read_bytes())
        report({"event": "done", **run(job, report)})
    except (OSError, RuntimeError, ValueError, TrainingError) as error:
        logger.exception("training failed")
        report({"event": "error", "message": f"{type(error).__name__}: {error}"})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
