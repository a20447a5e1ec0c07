"""The worker's start."""

import os
import subprocess
import sys


def test_a_worker_does_not_start_with_a_recipe_that_it_cannot_use() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import worker.app"],
        env={**os.environ, "DORMOUSE_TRAIN_RECIPE": '{"lerning_rate": 0.001}'},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "lerning_rate" in done.stderr
