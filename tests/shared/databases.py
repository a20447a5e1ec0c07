"""Databases of an older version, for tests of migrations."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, make_url, text


@contextmanager
def new_database(server: str, name: str, *, like: str = "template1") -> Iterator[str]:
    """The address of a new database on a server: empty, or a copy of another one."""
    url = make_url(server)
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {like}"))
    yield url.set(database=name).render_as_string(hide_password=False)
    admin.dispose()


def migrate(url: str, *to: str) -> None:
    """Run Alembic, as the stack does: `upgrade head`, `downgrade 0005`."""
    subprocess.run(
        [sys.executable, "-m", "alembic", "-c", "migrations/alembic.ini", *to],
        env={**os.environ, "DORMOUSE_DATABASE_URL": url},
        check=True,
        capture_output=True,
    )
