"""Bearer keys: what each may do, and who calls with one."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field, SecretStr

from shared.contracts.base import Contract, Request

# `chat` speaks for many authors; a `teacher`'s word counts at once, and he may review; `admin` also
# runs the system.
Role = Literal["chat", "teacher", "admin"]


class Caller(Contract):
    """Who holds a key. `secret` is the tenant's, to hash authors' names with."""

    tenant_id: UUID
    key_id: UUID
    key_name: str
    role: Role
    secret: SecretStr

    @property
    def teaches(self) -> bool:
        """Whether what is said with the key counts at once."""
        return self.role in ("teacher", "admin")


class ApiKey(Contract):
    """A key as `GET /admin/keys` shows it: without the key."""

    id: UUID
    name: str
    role: Role
    created_by: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="To the minute.")


class NewApiKey(ApiKey):
    """The reply of `POST /admin/keys`: the only time that the key is shown."""

    key: str


class ApiKeyRequest(Request):
    """The body of `POST /admin/keys`."""

    name: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")
    role: Role
    expires_at: datetime | None = Field(
        default=None, description="With its time zone; null: until it is revoked."
    )
