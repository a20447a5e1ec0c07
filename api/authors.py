"""Who speaks: the end user behind a request, as a keyed hash of the name that the app gives.

A name is hashed with its tenant's secret: it can be looked for, and not be read. Without a name the
key itself is the author. `u:` marks names and `k:` keys, as a key that names nobody may stand for
anybody that it names elsewhere.
"""

import hashlib
import hmac
import re
import unicodedata
from contextlib import suppress
from uuid import UUID

from starlette.requests import Request

from shared.contracts.keys import Caller
from shared.contracts.traces import MAX_NAME_LENGTH
from shared.errors import BadRequestError
from shared.storage.keys import KeyStore

HEADER = "X-Dormouse-User"
# Before the name of a key, where a person's may stand.
KEY = "key:"
HASHED = re.compile(r"[uk]:[0-9a-f]{32}")


def author_of(caller: Caller, name: str | None) -> str:
    """The author of what is said with a key.

    Args:
        caller: Who holds the key.
        name: The end user's, if the app gives one; empty is none.
    """
    return named(caller, name) if name and name.strip() else of_key(caller, caller.key_id)


def named(caller: Caller, name: str) -> str:
    """The author of this name in the caller's tenant."""
    return _hashed(caller, "u", unicodedata.normalize("NFC", name.strip()))


def of_key(caller: Caller, key_id: UUID) -> str:
    """The author who is a key of the caller's tenant itself."""
    return _hashed(caller, "k", key_id.hex)


async def authors_of(keys: KeyStore, caller: Caller, name: str) -> list[str]:
    """All who may be meant by a name: the end user, and for `key:NAME` who names nobody with it.

    A hash, as a trace shows it, stands for itself.

    Raises:
        BadRequestError: If the name is empty.
    """
    if not name.strip():
        raise BadRequestError("The name is empty. Give it as your application does.")
    found = [named(caller, name)]
    if name.startswith(KEY):
        key_ids = await keys.named(caller.tenant_id, name.removeprefix(KEY))
        found += [of_key(caller, key_id) for key_id in key_ids]
    if HASHED.fullmatch(name):
        found.append(name)
    return found


def name_in(request: Request) -> str | None:
    """The name in the header, which goes before any in the body.

    Raises:
        BadRequestError: If it is too long.
    """
    name = request.headers.get(HEADER)
    if name is None:
        return None
    if len(name) > MAX_NAME_LENGTH:
        raise BadRequestError(f"{HEADER}: at most {MAX_NAME_LENGTH} characters, got {len(name)}")
    # A header holds bytes, which are read as Latin-1; a name in a body is Unicode.
    with suppress(UnicodeError):
        return name.encode("latin-1").decode()
    return name


def _hashed(caller: Caller, kind: str, text: str) -> str:
    """128 bits of a keyed hash (RFC 2104)."""
    secret = caller.secret.get_secret_value().encode()
    return f"{kind}:{hmac.new(secret, f'{kind}:{text}'.encode(), hashlib.sha256).hexdigest()[:32]}"
