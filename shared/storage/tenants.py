"""Tenants and their keys."""

import hashlib
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.adapters import Caller
from shared.db.tables import ApiKeyRow, ModelRow, TenantRow


def hash_key(key: str) -> str:
    """What is stored of a key. Keys are random, so a fast hash is enough."""
    return hashlib.sha256(key.encode()).hexdigest()


class TenantStore:
    """SQL of tenants, keys and the names of their models."""

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

    async def set_key(self, tenant_id: UUID, name: str, scope: str, key: str) -> None:
        """Make `key` the tenant's key of this name; the one before stops working."""
        statement = insert(ApiKeyRow).values(
            tenant_id=tenant_id, name=name, scope=scope, key_sha256=hash_key(key)
        )
        await self._session.execute(
            statement.on_conflict_do_update(
                index_elements=["tenant_id", "name"],
                set_={"key_sha256": hash_key(key), "scope": scope},
            )
        )

    async def caller(self, key: str) -> Caller | None:
        """Who holds the key."""
        row = await self._session.scalar(
            select(ApiKeyRow).where(ApiKeyRow.key_sha256 == hash_key(key))
        )
        if row is None:
            return None
        return Caller.model_validate(
            {"tenant_id": row.tenant_id, "key_name": row.name, "scope": row.scope}
        )
