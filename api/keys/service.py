"""Keys: made here, shown once, revoked for good."""

import secrets
from datetime import UTC, datetime
from uuid import UUID

from api.directory import Directory
from shared.contracts.keys import ApiKey, ApiKeyRequest, Caller, NewApiKey
from shared.db.session import Sessions
from shared.errors import BadRequestError, LastKeyError, NotFoundError
from shared.storage.keys import KeyStore

# 256 bits.
KEY_NUM_BYTES = 32
# In every time zone a time that Python can hold.
LATEST = datetime(9000, 1, 1, tzinfo=UTC)


class KeyService:
    """Makes, lists and revokes the keys of a tenant.

    Args:
        directory: Must ask again once a key has changed.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._sessions = directory.sessions

    async def add(self, caller: Caller, request: ApiKeyRequest) -> NewApiKey:
        """Make a key.

        Raises:
            BadRequestError: If it would expire at no time that is to come.
            KeyNameTakenError: If the tenant has, or had, a key of this name.
        """
        made = await make_key(self._sessions, caller.tenant_id, request, created_by=caller.key_name)
        self._directory.expire()
        return made

    async def list_all(self, caller: Caller) -> list[ApiKey]:
        """The tenant's keys, oldest first; those that no longer work, too."""
        async with self._sessions.begin() as session:
            return await KeyStore(session).of_tenant(caller.tenant_id)

    async def get(self, caller: Caller, key_id: UUID) -> ApiKey:
        """One key.

        Raises:
            NotFoundError: If the tenant has none of this id.
        """
        async with self._sessions.begin() as session:
            found = await KeyStore(session).of_tenant(caller.tenant_id, key_id)
        if not found:
            raise NotFoundError(f"There is no key {key_id}. GET /admin/keys lists yours.")
        return found[0]

    async def revoke(self, caller: Caller, key_id: UUID) -> ApiKey:
        """Let a key stop working, for good; one that is revoked stays as it is.

        Raises:
            NotFoundError: If the tenant has none of this id.
            LastKeyError: If no other admin key of the tenant works.
        """
        key = await self.get(caller, key_id)
        async with self._sessions.begin() as session:
            store = KeyStore(session)
            # Locked: of two that revoke each other's key, the second finds his the last.
            if key.role == "admin" and await store.usable(caller.tenant_id, "admin") == [key_id]:
                raise LastKeyError(
                    f"{key.name!r} is the last admin key that works: without it nobody could make "
                    "another. Make one first, with POST /admin/keys or `dormouse keys add`."
                )
            await store.revoke(caller.tenant_id, key_id)
        self._directory.expire()
        return await self.get(caller, key_id)


async def make_key(
    sessions: Sessions, tenant_id: UUID, request: ApiKeyRequest, *, created_by: str
) -> NewApiKey:
    """Make a random key; nobody can read it again.

    Raises:
        BadRequestError: If it would expire at no time that is to come.
        KeyNameTakenError: If the tenant has, or had, a key of this name.
    """
    if request.expires_at is not None:
        _check_is_to_come(request.expires_at)
    key = f"dm-{secrets.token_urlsafe(KEY_NUM_BYTES)}"
    async with sessions.begin() as session:
        made = await KeyStore(session).add(
            tenant_id,
            name=request.name,
            role=request.role,
            key=key,
            expires_at=request.expires_at,
            created_by=created_by,
        )
    return NewApiKey(**made.model_dump(), key=key)


def _check_is_to_come(at: datetime) -> None:
    if at.tzinfo is None:
        raise BadRequestError(
            f"expires_at: {at.isoformat()} has no time zone. Add one, such as 'Z' for UTC.",
            param="expires_at",
        )
    if not datetime.now(UTC) < at < LATEST:
        raise BadRequestError(
            f"expires_at: {at.isoformat()} is not to come. Give a later time, or none for a key "
            "that works until it is revoked.",
            param="expires_at",
        )
