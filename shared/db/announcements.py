"""What PostgreSQL announces (`NOTIFY`), on a connection of its own."""

from collections.abc import AsyncIterator

import psycopg
from sqlalchemy import make_url

CONNECT_TIMEOUT_S = 5


async def announcements(database_url: str, channel: str) -> AsyncIterator[str]:
    """The payload of every announcement, and an empty one once listening has begun.

    Args:
        database_url: SQLAlchemy's.
        channel: A plain name.

    Raises:
        ConnectionError: If the database is away or goes away.
    """
    url = make_url(database_url)
    where, options = url.get_dialect()().create_connect_args(url)
    try:
        connection = await psycopg.AsyncConnection.connect(
            *where, **{"connect_timeout": CONNECT_TIMEOUT_S, **options}, autocommit=True
        )
        async with connection:
            await connection.execute(f"LISTEN {channel}")
            yield ""
            async for notice in connection.notifies():
                yield notice.payload
    except psycopg.OperationalError as error:
        raise ConnectionError(str(error)) from error
