"""Tenants and the names of their models."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.tables import ModelRow, TenantRow


class TenantStore:
    """SQL of tenants and the names of their models."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def ensure_tenant(self, name: str) -> UUID:
        """The tenant's id; made if it is new."""
        await self._session.execute(
            insert(TenantRow).values(name=name).on_conflict_do_nothing(index_elements=["name"])
        )
        found = await self._session.scalars(select(TenantRow.id).where(TenantRow.name == name))
        return found.one()

    async def ensure_model(self, tenant_id: UUID, name: str, base: str) -> UUID:
        """The model's id; made on the bare base if it is new."""
        statement = insert(ModelRow).values(tenant_id=tenant_id, name=name, base=base)
        await self._session.execute(
            statement.on_conflict_do_nothing(index_elements=["tenant_id", "name"])
        )
        found = await self._session.scalars(
            select(ModelRow.id).where(ModelRow.tenant_id == tenant_id, ModelRow.name == name)
        )
        return found.one()
