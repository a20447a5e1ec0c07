"""`python -m api.keys`: make a key straight in the database, for who lost the last admin key."""

import argparse
import asyncio
from datetime import UTC, datetime, timedelta
from typing import get_args

from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from api.keys.service import make_key
from api.services import DEFAULT
from shared.contracts.keys import ApiKeyRequest, NewApiKey, Role
from shared.db.session import create_engine, create_sessions
from shared.errors import DormouseError
from shared.settings import Settings, get_settings
from shared.storage.tenants import TenantStore

CREATED_BY = "python -m api.keys"
MAX_DAYS = 36500

DESCRIPTION = """\
Make a key straight in the database, for who lost the last admin key.

It asks for no key: who can write to the database may do this. The database is the API's,
DORMOUSE_DATABASE_URL or the secret file dormouse_database_url. A running API takes the key at
once. The key is printed once; only its hash is stored.
"""
EXAMPLES = """\
for example:
  python -m api.keys --role admin --name rescue
  docker compose exec api python -m api.keys --role admin --name rescue
  (set -a; . .dormouse/local.env; python -m api.keys --role admin --name rescue)

Then look at what the others are, and revoke the one that was lost:
  DORMOUSE_ADMIN_KEY=KEY dormouse keys
  DORMOUSE_ADMIN_KEY=KEY dormouse keys revoke KEY_ID
"""


def main() -> None:
    """Make the key that the arguments describe, and print it."""
    parser = argparse.ArgumentParser(
        prog=CREATED_BY,
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--role",
        required=True,
        choices=get_args(Role),
        help="chat: an application's. teacher: one person's, whose word counts at once. admin: "
        "also runs the system",
    )
    parser.add_argument("--name", required=True, help="one that no key has, or had")
    parser.add_argument(
        "--expires-days",
        type=int,
        metavar="N",
        help="let it end after N days (default: it works until it is revoked)",
    )
    arguments = parser.parse_args()
    days = arguments.expires_days
    if days is not None and not 1 <= days <= MAX_DAYS:
        parser.error(f"--expires-days: from 1 to {MAX_DAYS}, not {days}")
    try:
        request = ApiKeyRequest(
            name=arguments.name,
            role=arguments.role,
            expires_at=None if days is None else datetime.now(UTC) + timedelta(days=days),
        )
    except ValidationError as error:
        parser.error(f"--name: {error.errors()[0]['msg']}")
    try:
        made = asyncio.run(_make(get_settings(), request))
    except DormouseError as error:
        parser.exit(1, f"error: {error.message}\n")
    except SQLAlchemyError as error:
        parser.exit(
            1,
            f"error: The database did not take it: {str(error).splitlines()[0]}\nIs "
            "DORMOUSE_DATABASE_URL the API's, and does PostgreSQL run?\n",
        )
    print(made.key)


async def _make(settings: Settings, request: ApiKeyRequest) -> NewApiKey:
    database = create_engine(settings, pooled=False)
    try:
        sessions = create_sessions(database)
        async with sessions.begin() as session:
            tenant_id = await TenantStore(session).ensure_tenant(DEFAULT)
        return await make_key(sessions, tenant_id, request, created_by=CREATED_BY)
    finally:
        await database.dispose()


if __name__ == "__main__":
    main()
