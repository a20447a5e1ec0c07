"""The hold on a running cycle: its lease, its progress, and the three ways to be stopped.

The lease is renewed while a stage runs. A stage is cancelled as soon as somebody asks to cancel the
cycle, another worker owns it, or this worker was told to end.
"""

import asyncio
import logging
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from shared.contracts.base import Contract
from shared.contracts.cycles import CycleCounts, Lease, Stage
from shared.errors import (
    CycleCancelledError,
    EngineUnavailableError,
    TrainerError,
    WorkerStoppingError,
)
from shared.storage.cycles import SleepCycleStore
from worker.context import Context

REPORT_INTERVAL_S = 0.5
ENGINE_LOOK_INTERVAL_S = 1.0

log = logging.getLogger(__name__)

Result = TypeVar("Result", bound=Contract)


class CycleControl:
    """Runs stages under a lease.

    Args:
        context: Database and settings.
        lease: The cycle that this worker holds.
    """

    def __init__(self, context: Context, lease: Lease) -> None:
        self._context = context
        self.lease = lease
        self.counts = lease.counts
        self.stage = Stage.COLLECT
        self._stopping = asyncio.Event()
        self._reported_at = 0.0

    async def run(
        self, stage: Stage, kind: type[Result], work: Callable[[], Awaitable[Result]]
    ) -> Result:
        """A stage's result: the stored one if an earlier attempt finished it, else a new one.

        Raises:
            CycleCancelledError: If somebody asked to cancel the cycle.
            LeaseLostError: If another worker owns the cycle.
            WorkerStoppingError: If this worker was told to end.
            DormouseError: Whatever the stage raises after its last attempt.
        """
        self.stage = stage
        if stage in self.lease.results:
            return kind.model_validate(self.lease.results[stage])
        log.info("cycle %s: %s", self.lease.cycle_id, stage)
        began = time.monotonic()
        await self.report(0.0, force=True)
        result = await self._with_attempts(work)
        async with self._context.sessions.begin() as session:
            await SleepCycleStore(session).finish_stage(
                self.lease,
                stage,
                result.model_dump(mode="json"),
                seconds=time.monotonic() - began,
                counts=self.counts,
            )
        return result

    def count(self, *, traces: int = 0, memories: int = 0, seeds: int = 0, dreams: int = 0) -> None:
        """Add to the cycle's counts; written with the stage's result."""
        old = self.counts
        self.counts = CycleCounts(
            traces=old.traces + traces,
            memories=old.memories + memories,
            seeds=old.seeds + seeds,
            dreams=old.dreams + dreams,
        )

    async def report(
        self, progress: float, detail: str | None = None, *, force: bool = False
    ) -> None:
        """Show how far the stage is, at most twice a second."""
        now = time.monotonic()
        if not force and now - self._reported_at < REPORT_INTERVAL_S:
            return
        self._reported_at = now
        async with self._context.sessions.begin() as session:
            await SleepCycleStore(session).report(
                self.lease, stage=self.stage, progress=min(progress, 1.0), detail=detail
            )

    async def _with_attempts(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Try again what an engine or a trainer that went away interrupted."""
        attempts = self._context.settings.max_stage_attempts
        for attempt in range(1, attempts + 1):
            try:
                return await self._guarded(work)
            except (EngineUnavailableError, TrainerError) as error:
                if attempt == attempts:
                    raise
                log.warning("%s, attempt %d of %d: %s", self.stage, attempt, attempts, error)
            await self._guarded(self._engine_is_back)
        raise AssertionError("unreachable")

    async def _engine_is_back(self) -> None:
        """Wait for the engine.

        Raises:
            EngineUnavailableError: If it stays away for longer than the setting allows.
        """
        deadline = time.monotonic() + self._context.settings.engine_wait_s
        while True:
            try:
                await self._context.engine.models()
                return
            except EngineUnavailableError:
                if time.monotonic() > deadline:
                    raise
            await self.report(0.0, "waiting for the engine")
            await asyncio.sleep(ENGINE_LOOK_INTERVAL_S)

    async def _guarded(self, work: Callable[[], Awaitable[Result | None]]) -> Result:
        """Run `work` while the lease is renewed; whoever ends first ends the other."""
        working = asyncio.ensure_future(work())
        watching = asyncio.ensure_future(self._watch())
        try:
            await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                await watching
            return await working  # type: ignore[return-value]
        finally:
            for task in (working, watching):
                task.cancel()
            await asyncio.gather(working, watching, return_exceptions=True)

    async def _watch(self) -> None:
        """Renew the lease until there is a reason to stop, which is raised."""
        lease_s = self._context.settings.lease_s
        while not self._stopping.is_set():
            async with self._context.sessions.begin() as session:
                cancel = await SleepCycleStore(session).renew(self.lease, lease_s)
            if cancel:
                raise CycleCancelledError("The cycle was cancelled.")
            try:
                await asyncio.wait_for(self._stopping.wait(), min(lease_s / 4, 1.0))
            except TimeoutError:
                continue
        raise WorkerStoppingError("This worker was told to end; the cycle resumes later.")

    @contextmanager
    def stops_on_sigterm(self) -> Iterator[None]:
        """While a cycle runs, SIGTERM ends it cleanly; afterwards Celery gets its signal."""
        loop = asyncio.get_running_loop()
        before = signal.getsignal(signal.SIGTERM)
        loop.add_signal_handler(signal.SIGTERM, self._stopping.set)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGTERM)
            signal.signal(signal.SIGTERM, before)
            if self._stopping.is_set():
                signal.raise_signal(signal.SIGTERM)
