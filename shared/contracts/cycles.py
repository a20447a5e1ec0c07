"""Sleep cycles and gate reports."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Contract, Request


class Stage(StrEnum):
    """The stages of a sleep cycle, in order; a candidate may be trained and judged once more."""

    COLLECT = "collect"
    TRIAGE = "triage"
    RESOLVE = "resolve"
    SEED = "seed"
    DREAM = "dream"
    TRAIN = "train"
    GATE = "gate"
    RETRAIN = "retrain"
    REGATE = "regate"
    WAKE = "wake"


CycleStatus = Literal[
    "queued", "running", "proposed", "promoted", "rejected", "skipped", "failed", "cancelled"
]
ACTIVE_STATUSES: tuple[CycleStatus, ...] = ("queued", "running")


class CycleCounts(Contract):
    """How much went through a cycle."""

    traces: int = 0
    memories: int = 0
    seeds: int = 0
    dreams: int = 0


Reference = Literal["active", "base"]


class SuiteResult(Contract):
    """One gate suite: the candidate against the baseline.

    `baseline` and `candidate` are scores in the suite's own unit (a share for most of them);
    `margin` is how far the candidate may fall below the bar. The baseline is who is active, or
    the bare base: against that the margin is what all nights together may lose.
    """

    name: str
    against: Reference = "active"
    baseline: float
    candidate: float
    margin: float
    passed: bool
    num_probes: int = 0
    p_value: float | None = None
    detail: str = ""


class GateReport(Contract):
    """The gate's decision about one candidate."""

    passed: bool
    reason: str
    suites: list[SuiteResult] = Field(default_factory=list)


class SleepCycle(Contract):
    """One sleep cycle, as `GET /admin/sleep-cycles/{id}` shows it.

    `progress` is the share of the running stage that is done, 0 to 1.
    """

    id: UUID
    model: str
    status: CycleStatus
    stage: Stage | None = None
    progress: float = 0.0
    detail: str | None = None
    trigger: str
    reason: str | None = None
    stop_after: Literal[Stage.RESOLVE] | None = None
    counts: CycleCounts = CycleCounts()
    adapter: int | None = None
    gate: GateReport | None = None
    error: str | None = None
    stages: dict[str, float] = Field(default_factory=dict, description="Finished stages, seconds.")
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None


class SleepCycleRequest(Request):
    """The body of `POST /admin/sleep-cycles`."""

    model: str = "default"
    reason: str | None = Field(default=None, max_length=2000)
    stop_after: Literal[Stage.RESOLVE] | None = Field(
        default=None,
        description="`resolve`: read and decide, so that a person can look at it; train nothing.",
    )


class Lease(Contract):
    """What the worker that owns a cycle knows of it."""

    cycle_id: UUID
    model_id: UUID
    token: UUID
    attempts: int
    counts: CycleCounts
    stop_after: Stage | None = None
    results: dict[Stage, dict[str, Any]]
