"""Where a run that was killed goes on: weights, optimizer and losses after some step.

Written beside the job, replaced in one move, and only read back for the very same job.
"""

import hashlib
import logging
import os
import pickle
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch

from worker.trainer.job import TrainJob
from worker.trainer.model import Student

log = logging.getLogger(__name__)


class Stateful(Protocol):
    """An optimizer or a schedule."""

    def state_dict(self) -> dict[str, Any]:
        """What must be kept."""
        ...

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what was kept."""
        ...


@dataclass
class Progress:
    """How far a run is; losses in nats per token, one for each step."""

    step: int = 0
    seed_losses: list[float] = field(default_factory=list)
    kls: list[float] = field(default_factory=list)
    num_tokens: int = 0


class Checkpoint:
    """Saves a run every so often.

    Args:
        path: The file; None keeps nothing.
        job: What is run; a file of another job is ignored.
    """

    def __init__(self, path: Path | None, job: TrainJob) -> None:
        self._path = path
        self._every = job.recipe.checkpoint_steps
        self._job_sha256 = hashlib.sha256(job.model_dump_json().encode()).hexdigest()

    def save(self, progress: Progress, student: Student, *parts: Stateful) -> None:
        """Keep the state after a step, if it is time to."""
        if self._path is None or progress.step % self._every:
            return
        state = {
            "job_sha256": self._job_sha256,
            "progress": asdict(progress),
            "weights": [parameter.detach() for parameter in student.parameters],
            "parts": [part.state_dict() for part in parts],
        }
        temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        with temporary.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)

    def restore(self, student: Student, *parts: Stateful) -> Progress:
        """Put everything back where the last checkpoint of this job left it.

        Returns:
            How far that was; the beginning if there is none that can be read.
        """
        if self._path is None or not self._path.exists():
            return Progress()
        try:
            state = torch.load(self._path, map_location=student.device, weights_only=True)
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
            log.warning("%s cannot be read, the run begins anew: %s", self._path, error)
            return Progress()
        if state["job_sha256"] != self._job_sha256:
            return Progress()
        with torch.no_grad():
            for parameter, saved in zip(student.parameters, state["weights"], strict=True):
                parameter.copy_(saved)
        for part, saved in zip(parts, state["parts"], strict=True):
            part.load_state_dict(saved)
        return Progress(**state["progress"])
