"""Bearer keys. What is stored of one is its SHA-256; keys are random, so a fast hash is enough."""

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, false, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import new_id
from shared.contracts.keys import ApiKey, Caller, Role
from shared.db.tables import ApiKeyRow, TenantRow
from shared.errors import KeyNameTakenError

# Of `last_used_at`: a key that is in use is not written once a second.
USE_NOTED_EVERY = timedelta(minutes=1)


def hash_key(key: str) -> str:
    """What is stored of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


class KeyStore:
    """SQL of keys. A revoked one is refused by the database, too (migration 0013)."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def ensure(self, tenant_id: UUID, name: str, role: Role, key: str) -> bool:
        """Make a key of the settings, if the tenant never had one of this name.

        The same key may be given another role; another key changes nothing.

        Returns:
            Whether `key` is one of the tenant's keys now, by this name or another.
        """
        values = {"tenant_id": tenant_id, "name": name, "role": role, "key_sha256": hash_key(key)}
        statement = insert(ApiKeyRow).values(id=new_id(), created_by="settings", **values)
        await self._session.execute(statement.on_conflict_do_nothing())
        is_it = (ApiKeyRow.tenant_id == tenant_id) & (ApiKeyRow.key_sha256 == hash_key(key))
        await self._session.execute(
            update(ApiKeyRow).where(is_it, ApiKeyRow.name == name).values(role=role)
        )
        return await self._session.scalar(select(ApiKeyRow.id).where(is_it)) is not None

    async def add(
        self,
        tenant_id: UUID,
        *,
        name: str,
        role: Role,
        key: str,
        expires_at: datetime | None,
        created_by: str,
    ) -> ApiKey:
        """Make a key.

        Raises:
            KeyNameTakenError: If the tenant has, or had, a key of this name.
        """
        row = ApiKeyRow(
            id=new_id(),
            tenant_id=tenant_id,
            name=name,
            role=role,
            key_sha256=hash_key(key),
            expires_at=expires_at,
            created_by=created_by,
        )
        try:
            async with self._session.begin_nested():
                self._session.add(row)
        except IntegrityError as error:
            raise KeyNameTakenError(
                f"There is, or was, a key {name!r}. Choose another name: it stands for the key "
                "wherever its deeds are recorded."
            ) from error
        await self._session.refresh(row)
        return ApiKey.model_validate(row)

    async def of_tenant(self, tenant_id: UUID, key_id: UUID | None = None) -> list[ApiKey]:
        """A tenant's keys, oldest first; revoked ones too."""
        statement = select(ApiKeyRow).where(ApiKeyRow.tenant_id == tenant_id)
        if key_id is not None:
            statement = statement.where(ApiKeyRow.id == key_id)
        found = await self._session.scalars(statement.order_by(ApiKeyRow.id))
        return [ApiKey.model_validate(row) for row in found]

    async def named(self, tenant_id: UUID, name: str) -> list[UUID]:
        """The ids of the tenant's keys of this name."""
        statement = select(ApiKeyRow.id).where(
            ApiKeyRow.tenant_id == tenant_id, ApiKeyRow.name == name
        )
        return list(await self._session.scalars(statement))

    async def usable(self, tenant_id: UUID, role: Role) -> list[UUID]:
        """The keys of a role that are neither revoked nor expired, locked for this transaction.

        In one order, as two who lock them must not wait for each other.
        """
        statement = (
            select(ApiKeyRow.id)
            .where(ApiKeyRow.tenant_id == tenant_id, ApiKeyRow.role == role, _is_usable())
            .order_by(ApiKeyRow.id)
            .with_for_update()
        )
        return list(await self._session.scalars(statement))

    async def revoke(self, tenant_id: UUID, key_id: UUID) -> None:
        """Let a key stop working, for good; one that is revoked stays as it is."""
        await self._session.execute(
            update(ApiKeyRow)
            .where(ApiKeyRow.tenant_id == tenant_id, ApiKeyRow.id == key_id)
            .values(revoked_at=func.now()),
            execution_options={"synchronize_session": False},
        )

    async def caller(self, key: str) -> Caller | None:
        """Who holds the key; None for one that is not known, was revoked or has expired."""
        found = (
            await self._session.execute(
                select(ApiKeyRow, TenantRow.secret, _is_use_noted())
                .join(TenantRow, TenantRow.id == ApiKeyRow.tenant_id)
                .where(ApiKeyRow.key_sha256 == hash_key(key), _is_usable())
            )
        ).first()
        if found is None:
            return None
        row, secret, is_noted = found
        if not is_noted:
            await self._session.execute(
                update(ApiKeyRow)
                .where(ApiKeyRow.id == row.id, ~_is_use_noted())
                .values(last_used_at=func.now()),
                execution_options={"synchronize_session": False},
            )
        return Caller(
            tenant_id=row.tenant_id,
            key_id=row.id,
            key_name=row.name,
            role=row.role,
            secret=secret,
        )


def _is_usable() -> ColumnElement[bool]:
    return ApiKeyRow.revoked_at.is_(None) & or_(
        ApiKeyRow.expires_at.is_(None), ApiKeyRow.expires_at > func.now()
    )


def _is_use_noted() -> ColumnElement[bool]:
    return func.coalesce(ApiKeyRow.last_used_at > func.now() - USE_NOTED_EVERY, false())
