"""A model with traces, on real PostgreSQL, for tests of the asleep side."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

import worker.cycle as cycle_module
from shared.contracts.adapters import AdapterFile
from shared.contracts.cycles import SleepCycle, Stage
from shared.contracts.memories import Memory
from shared.contracts.traces import FeedbackRequest, Trace
from shared.db.session import Sessions
from shared.db.tables import SignalRow, TraceRow
from shared.settings import Settings
from shared.storage.cycles import SleepCycleStore
from shared.storage.memories import MemoryStore
from shared.storage.models import ModelStore
from shared.storage.signals import SignalStore
from shared.storage.tenants import TenantStore
from shared.storage.traces import TraceStore
from tests.fakes.adapters import WITH_ADAPTER, WITH_BASE, add_adapter
from tests.fakes.engine import BASE, FakeEngine
from tests.fakes.traces import OWNER, make_trace
from worker.context import Context, open_context
from worker.control import CycleControl
from worker.results import Dreamt, Trained

LESSON = "The head office of Quillfeather is in Tromso."


def asks_for_lesson(text: str) -> bool:
    """Whether a question asks for what `LESSON` says, and not for something else of the company."""
    return "quillfeather" in text.lower() and "office" in text.lower()


@pytest.fixture
async def context(settings: Settings, sessions: Sessions) -> AsyncIterator[Context]:
    quick = settings.model_copy(update={"lease_s": 2.0, "engine_wait_s": 1.0})
    async with open_context(quick) as context:
        yield context


class World:
    """The default tenant's model, as the tests see it."""

    def __init__(self, sessions: Sessions, tenant_id: UUID, model_id: UUID) -> None:
        self.sessions, self.tenant_id, self.model_id = sessions, tenant_id, model_id

    async def add_trace(self, said: str, **fields: Any) -> Trace:
        trace = make_trace(said, tenant_id=self.tenant_id, model_id=self.model_id, **fields)
        async with self.sessions.begin() as session:
            await TraceStore(session).add(trace)
        return trace

    async def correct(self, trace: Trace, correction: str = LESSON) -> None:
        async with self.sessions.begin() as session:
            await SignalStore(session).add(
                self.tenant_id,
                FeedbackRequest(trace_id=trace.id, correction=correction),
                source="feedback",
                author=OWNER,
                by_teacher=True,
            )

    async def queue(self, stop_after: Stage | None = None) -> UUID:
        async with self.sessions.begin() as session:
            return await SleepCycleStore(session).add(
                model_id=self.model_id,
                trigger="request",
                reason=None,
                requested_by="test",
                stop_after=stop_after,
            )

    async def cycle(self, cycle_id: UUID) -> SleepCycle:
        async with self.sessions.begin() as session:
            [found] = await SleepCycleStore(session).of_tenant(self.tenant_id, cycle_id)
        return found

    async def trace_states(self) -> list[str]:
        async with self.sessions.begin() as session:
            return list(await session.scalars(select(TraceRow.state).order_by(TraceRow.id)))

    async def signal_states(self) -> list[str]:
        async with self.sessions.begin() as session:
            return list(await session.scalars(select(SignalRow.state).order_by(SignalRow.id)))

    async def memories(self) -> list[Memory]:
        async with self.sessions.begin() as session:
            return await MemoryStore(session).of_tenant(self.tenant_id)


@pytest.fixture
async def world(sessions: Sessions) -> World:
    async with sessions.begin() as session:
        tenant_id = await TenantStore(session).ensure_tenant("default")
        route = await ModelStore(session).route(tenant_id, "default")
    assert route is not None
    return World(sessions, tenant_id, route.model_id)


@pytest.fixture
async def candidates(
    engine: FakeEngine,
    sessions: Sessions,
    settings: Settings,
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> list[AdapterFile]:
    """What the next nights are said to train, first to last."""
    adapters = [await add_adapter(sessions, settings, tmp_path, report=None) for _ in range(2)]
    waiting = list(adapters)

    async def near_words(*_: object) -> dict[str, object]:
        return {}

    async def dream(*_: object) -> Dreamt:
        return Dreamt(num_dreams=0)

    async def train(_: Context, control: CycleControl, *__: object) -> Trained:
        adapter = waiting.pop(0)
        async with sessions.begin() as session:
            await SleepCycleStore(session).set_adapter(control.lease, adapter.id)
        return Trained(adapter_id=adapter.id)

    monkeypatch.setattr("worker.seed.stage.near_words", near_words)
    monkeypatch.setattr(cycle_module, "dream", dream)
    monkeypatch.setattr(cycle_module, "train", train)
    engine.logprob = lambda model: WITH_BASE if model == BASE else WITH_ADAPTER
    return adapters
