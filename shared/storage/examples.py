"""Seed examples and dreams: what a cycle trains on and probes with."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import new_id
from shared.contracts.memories import Dream, SeedExample, Split
from shared.db.tables import DreamRow, MemoryRow, SeedExampleRow, SleepCycleRow


def seed_example(row: SeedExampleRow) -> SeedExample:
    """The contract of a row."""
    return SeedExample.model_validate(row, from_attributes=True)


class ExampleStore:
    """SQL of seed examples and dreams."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def replace_seeds(self, cycle_id: UUID, seeds: Sequence[SeedExample]) -> None:
        """Write a cycle's seed examples in place of an earlier attempt's."""
        await self._session.execute(
            delete(SeedExampleRow).where(SeedExampleRow.cycle_id == cycle_id)
        )
        if seeds:
            await self._session.execute(
                insert(SeedExampleRow),
                [{**seed.model_dump(), "cycle_id": cycle_id} for seed in seeds],
            )

    async def drop_seeds(
        self, cycle_id: UUID, *, memory_ids: Collection[UUID], seed_ids: Collection[UUID]
    ) -> None:
        """Delete a cycle's examples of some memories, and some of others."""
        await self._session.execute(
            delete(SeedExampleRow).where(
                SeedExampleRow.cycle_id == cycle_id,
                or_(SeedExampleRow.memory_id.in_(memory_ids), SeedExampleRow.id.in_(seed_ids)),
            )
        )

    async def seeds_of_cycle(self, cycle_id: UUID, split: Split) -> list[SeedExample]:
        """A cycle's seed examples of one split."""
        statement = (
            select(SeedExampleRow)
            .where(SeedExampleRow.cycle_id == cycle_id, SeedExampleRow.split == split)
            .order_by(SeedExampleRow.id)
        )
        return [seed_example(row) for row in await self._session.scalars(statement)]

    async def learned(self, model_id: UUID, split: Split) -> list[SeedExample]:
        """The newest seed examples of every memory that is in the weights."""
        newest = (
            select(SeedExampleRow.memory_id, SeedExampleRow.cycle_id)
            .join(MemoryRow, MemoryRow.id == SeedExampleRow.memory_id)
            .where(MemoryRow.model_id == model_id, MemoryRow.state == "learned")
            .order_by(SeedExampleRow.memory_id, SeedExampleRow.cycle_id.desc())
            .ext(distinct_on(SeedExampleRow.memory_id))
            .subquery()
        )
        statement = (
            select(SeedExampleRow)
            .join(
                newest,
                (newest.c.memory_id == SeedExampleRow.memory_id)
                & (newest.c.cycle_id == SeedExampleRow.cycle_id),
            )
            .where(SeedExampleRow.split == split)
            .order_by(SeedExampleRow.id)
        )
        return [seed_example(row) for row in await self._session.scalars(statement)]

    async def probe_questions(self, model_id: UUID) -> set[str]:
        """Every wording that was ever held out for this model: never to be trained on."""
        statement = (
            select(SeedExampleRow.messages)
            .join(MemoryRow, MemoryRow.id == SeedExampleRow.memory_id)
            .where(MemoryRow.model_id == model_id, SeedExampleRow.split == "heldout")
        )
        found = await self._session.scalars(statement)
        return {str(messages[-2]["content"]) for messages in found}

    async def replace_dreams(self, cycle_id: UUID, dreams: Sequence[Dream]) -> None:
        """Write a cycle's dreams in place of an earlier attempt's."""
        await self._session.execute(delete(DreamRow).where(DreamRow.cycle_id == cycle_id))
        if dreams:
            await self._session.execute(
                insert(DreamRow), [{**dream.model_dump(), "cycle_id": cycle_id} for dream in dreams]
            )

    async def earlier_dreams(self, model_id: UUID, but: UUID, limit: int) -> list[Dream]:
        """What other cycles of the model dreamt, each once and with a new id, drawn at random."""
        dreamt = (
            select(DreamRow.messages)
            .join(SleepCycleRow, SleepCycleRow.id == DreamRow.cycle_id)
            .where(SleepCycleRow.model_id == model_id, DreamRow.cycle_id != but)
            .distinct()
            .subquery()
        )
        drawn = select(dreamt.c.messages).order_by(func.random()).limit(limit)
        return [Dream(id=new_id(), messages=row) for row in await self._session.scalars(drawn)]

    async def dreams_of_cycle(self, cycle_id: UUID) -> list[Dream]:
        """A cycle's dreams."""
        statement = select(DreamRow).where(DreamRow.cycle_id == cycle_id).order_by(DreamRow.id)
        return [
            Dream.model_validate(row, from_attributes=True)
            for row in await self._session.scalars(statement)
        ]
