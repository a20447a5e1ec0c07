"""The migrations make exactly the tables that the code uses."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from shared.db.tables import Row


def test_the_migrated_database_has_exactly_the_tables_of_the_code(services: dict[str, str]) -> None:
    engine = create_engine(services["DORMOUSE_DATABASE_URL"])
    with engine.connect() as connection:
        migration = MigrationContext.configure(connection)
        assert compare_metadata(migration, Row.metadata) == []
    engine.dispose()
