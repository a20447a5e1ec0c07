"""The base of every contract."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict
from uuid_utils.compat import uuid7


class Contract(BaseModel):
    """A frozen value; unknown fields are an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True)


def new_id() -> UUID:
    """A UUIDv7: unique everywhere, ordered by time (RFC 9562)."""
    return uuid7()
