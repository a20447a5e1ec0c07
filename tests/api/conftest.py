"""The default model's memories, for tests through HTTP."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from shared.contracts.memories import Memory
from shared.db.session import Sessions
from shared.db.tables import ModelRow, SleepCycleRow
from shared.storage.cycles import SleepCycleStore
from shared.storage.memories import MemoryStore
from tests.fakes.memories import make_memory


class World:
    """The default model's memories."""

    def __init__(self, sessions: Sessions, model_id: UUID) -> None:
        self.sessions, self.model_id = sessions, model_id

    async def remember(self, *, cycle_status: str = "rejected", **fields: Any) -> Memory:
        async with self.sessions.begin() as session:
            cycle_id = await SleepCycleStore(session).add(
                model_id=self.model_id, trigger="request", reason=None, requested_by="test"
            )
            await session.execute(
                update(SleepCycleRow)
                .where(SleepCycleRow.id == cycle_id)
                .values(status=cycle_status)
            )
            added = make_memory(model_id=self.model_id, cycle_id=cycle_id, **fields)
            await MemoryStore(session).add([added])
        return added


@pytest.fixture
async def world(api: str, sessions: Sessions) -> World:
    async with sessions.begin() as session:
        model_id = await session.scalar(select(ModelRow.id).where(ModelRow.name == "default"))
    assert model_id is not None
    return World(sessions, model_id)
