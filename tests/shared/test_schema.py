"""The migrations make exactly the tables that the code uses, also from a database in use."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError

from shared.contracts.base import first_id
from shared.db.session import Sessions
from shared.db.tables import Row
from tests.shared.databases import migrate, new_database


def test_the_migrated_database_has_exactly_the_tables_of_the_code(services: dict[str, str]) -> None:
    engine = create_engine(services["DORMOUSE_DATABASE_URL"])
    with engine.connect() as connection:
        migration = MigrationContext.configure(connection, opts={"include_name": _is_no_partition})
        assert compare_metadata(migration, Row.metadata) == []
    engine.dispose()


def test_what_is_deleted_by_day_is_not_looked_for_row_by_row() -> None:
    referring = [
        key.parent
        for table in Row.metadata.tables.values()
        for key in table.foreign_keys
        if key.column.table.name in ("signals", "trace_decisions")
    ]
    assert [column.name for column in referring] == ["signal_id"]
    for column in referring:
        assert any(next(iter(index.columns)) is column for index in column.table.indexes)


def test_traces_of_a_database_in_use_keep_their_place_when_days_are_made(
    services: dict[str, str],
) -> None:
    with new_database(services["DORMOUSE_DATABASE_URL"], "in_use") as address:
        engine = create_engine(address)
        now = datetime.now(UTC)
        epoch, today = UUID(int=5), first_id(now)
        later = first_id(now + timedelta(days=3))

        migrate(address, "upgrade", "0005")
        with engine.begin() as connection:
            _insert(connection, epoch, today)
        migrate(address, "upgrade", "head")
        with engine.begin() as connection:
            _insert(connection, later)
            assert _places(connection) == {
                epoch: "traces_before",
                today: "traces_before",
                later: "traces_default",
            }
        migrate(address, "downgrade", "0005")
        with engine.begin() as connection:
            assert set(_places(connection).values()) == {"traces"}
            assert set(_places(connection)) == {epoch, today, later}
            connection.execute(
                text(
                    "INSERT INTO signals (id, tenant_id, trace_id, source, content_sha256) "
                    "SELECT id, tenant_id, id, 'feedback', 'x' FROM traces"
                )
            )
        engine.dispose()


def _is_no_partition(name: str | None, kind: str, _: object) -> bool:
    return kind != "table" or not (name or "").startswith("traces_")


def _insert(connection: Connection, *trace_ids: UUID) -> None:
    """Traces with these ids, of a tenant and a model that are made if need be."""
    owner = {"id": UUID(int=1)}
    for statement in (
        "INSERT INTO tenants (id, name) VALUES (:id, 'a') ON CONFLICT DO NOTHING",
        "INSERT INTO models (id, tenant_id, name, base) VALUES (:id, :id, 'a', 'b') "
        "ON CONFLICT DO NOTHING",
    ):
        connection.execute(text(statement), owner)
    for trace_id in trace_ids:
        connection.execute(
            text(
                "INSERT INTO traces (id, tenant_id, model_id, session_id, status, store, state, "
                "request, timing, thread_sha256, created_at) VALUES (:trace_id, :id, :id, 's', "
                "'complete', true, 'queued', '{}', '{}', 'x', now())"
            ),
            {**owner, "trace_id": trace_id},
        )


def _places(connection: Connection) -> dict[UUID, str]:
    rows = connection.execute(text("SELECT id, tableoid::regclass::text FROM traces"))
    return {row[0]: row[1] for row in rows}


async def test_an_error_of_the_database_does_not_name_what_was_written(sessions: Sessions) -> None:
    with pytest.raises(DBAPIError) as caught:
        async with sessions.begin() as session:
            await session.execute(text("SELECT 1 / (length(:words) - 9)"), {"words": "Brambleby"})
    assert "division by zero" in str(caught.value)
    assert "Brambleby" not in str(caught.value)
