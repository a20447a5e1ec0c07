"""The default model's memories and nights, for tests through HTTP."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update

from api.authors import author_of, named
from shared.contracts.adapters import AdapterFile
from shared.contracts.memories import Memory, MemoryChange
from shared.db.session import Sessions
from shared.db.tables import ModelRow, SleepCycleRow
from shared.settings import Settings
from shared.storage.adapters import AdapterStore
from shared.storage.cycles import SleepCycleStore
from shared.storage.keys import KeyStore
from shared.storage.known import KnownStore
from shared.storage.memories import MemoryStore
from tests.conftest import API_KEY
from tests.fakes.adapters import add_adapter, promote
from tests.fakes.memories import make_memory


class World:
    """The default model's memories; `author` is the client's key."""

    def __init__(self, sessions: Sessions, model_id: UUID, author: str) -> None:
        self.sessions, self.model_id, self.author = sessions, model_id, author

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
        caller = await KeyStore(session).caller(API_KEY)
    assert model_id is not None
    assert caller is not None
    return World(sessions, model_id, author_of(caller, None))


class Nights:
    """Nights that were promoted, without the nights."""

    def __init__(
        self, world: World, admin: httpx.AsyncClient, settings: Settings, directory: Path
    ) -> None:
        self._world, self._admin = world, admin
        self._settings, self._directory = settings, directory

    async def learn(
        self,
        *memories: Memory,
        instead_of: Memory | None = None,
        cycle_id: UUID | None = None,
    ) -> AdapterFile:
        """A new version that knows these as well."""
        sessions = self._world.sessions
        adapter = await add_adapter(sessions, self._settings, self._directory, cycle_id=cycle_id)
        async with sessions.begin() as session:
            store = MemoryStore(session)
            await store.set_state([memory.id for memory in memories], "learned")
            if instead_of is not None:
                change = MemoryChange(
                    memory_id=instead_of.id,
                    was="learned",
                    state="superseded",
                    superseded_by=memories[0].id,
                    reason="gives way",
                )
                await store.apply([change])
            await KnownStore(session, self._world.model_id).write(adapter.id)
        await promote(sessions, adapter)
        return adapter

    async def newest(self) -> AdapterFile:
        """The version that answers."""
        async with self._world.sessions.begin() as session:
            store = AdapterStore(session)
            active = await store.active_id(self._world.model_id)
            assert active is not None
            return await store.file(active)

    async def go(self, to: int | str, **options: Any) -> dict[str, Any]:
        """Move the pointer."""
        reply = await self._admin.post("/admin/rollback", json={"to": to, **options})
        assert reply.status_code == 200, reply.text
        body: dict[str, Any] = reply.json()
        return body

    async def go_back(self) -> dict[str, Any]:
        """Move it to the version before."""
        reply = await self._admin.post("/admin/rollback", json={})
        assert reply.status_code == 200, reply.text
        body: dict[str, Any] = reply.json()
        return body

    async def known(self) -> list[int]:
        """How many memories each version holds, newest first; as many as it names."""
        rows = (await self._admin.get("/admin/adapters")).json()["data"]
        for row in rows:
            one = (await self._admin.get(f"/admin/adapters/{row['version']}")).json()
            assert len(set(one["memories"])) == one["num_memories"] == row["num_memories"]
        return [row["num_memories"] for row in rows]

    async def states(self) -> list[str]:
        """Of all memories, oldest first."""
        rows = (await self._admin.get("/admin/memories")).json()["data"]
        return [row["state"] for row in rows]


@pytest.fixture
def nights(world: World, admin: httpx.AsyncClient, settings: Settings, tmp_path: Path) -> Nights:
    return Nights(world, admin, settings, tmp_path)


@pytest.fixture
async def hashed(world: World) -> Callable[[str], str]:
    """What is kept of a name."""
    async with world.sessions.begin() as session:
        caller = await KeyStore(session).caller(API_KEY)
    assert caller is not None
    return lambda name: named(caller, name)
