"""The base of every contract."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, field_validator
from uuid_utils.compat import uuid7

# What one answer lists at most, where what is listed grows for ever.
PAGE_SIZE = 500


class Contract(BaseModel):
    """A frozen value; unknown fields are an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True)


class Request(Contract):
    """What a client sends: text that can be stored.

    PostgreSQL keeps neither NUL nor half of a surrogate pair.
    """

    @field_validator("*")
    @classmethod
    def _can_be_stored(cls, value: object) -> object:
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError as error:
                raise ValueError("it holds half of a surrogate pair") from error
            if "\0" in value:
                raise ValueError("it holds the character NUL")
        return value


def new_id() -> UUID:
    """A UUIDv7: unique everywhere, ordered by time (RFC 9562)."""
    return uuid7()


def first_id(at: datetime) -> UUID:
    """The smallest id that `new_id` could give from that moment on."""
    return UUID(int=int(at.timestamp() * 1000) << 80)
