"""Traces lie in one partition for each day, by their id, whose first part is a time (RFC 9562).

What was recorded before the coming midnight stays where it is, in the partition `traces_before`.
It is read once for this, with the table locked: about half a minute for ten million traces. The
API goes on meanwhile, its traces wait in the spool. No foreign key refers to traces any more, as
it would keep partitions from being dropped. The code before this migration goes on beside it.

Revision ID: 0006
"""

from datetime import UTC, datetime, timedelta

from alembic import op

from shared.contracts.base import first_id

revision = "0006"
down_revision = "0005"

REFERRING = ("signals", "trace_decisions", "memory_evidence")
FOREIGN_KEYS = (
    ("tenant_id", "tenants"),
    ("model_id", "models"),
    ("adapter_id", "adapters"),
    ("cycle_id", "sleep_cycles"),
)
INDEXES = {
    "queued": "(model_id, created_at, id) WHERE state = 'queued'",
    "thread": "(model_id, thread_sha256, id)",
    "session": "(model_id, session_id, id)",
    "cycle": "(cycle_id)",
}


def upgrade() -> None:
    """Put a partitioned table in the place of the plain one, which becomes its first partition."""
    for table in REFERRING:
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_trace_id_fkey")
    op.execute("ALTER TABLE traces RENAME TO traces_before")
    op.execute("ALTER INDEX traces_pkey RENAME TO traces_before_pkey")
    for name in INDEXES:
        op.execute(f"ALTER INDEX ix_traces_{name} RENAME TO traces_before_{name}")
    op.execute("CREATE TABLE traces (LIKE traces_before, PRIMARY KEY (id)) PARTITION BY RANGE (id)")
    for column, table in FOREIGN_KEYS:
        op.execute(f"ALTER TABLE traces ADD FOREIGN KEY ({column}) REFERENCES {table} (id)")
    for name, columns in INDEXES.items():
        op.execute(f"CREATE INDEX ix_traces_{name} ON traces {columns}")
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    end = first_id(midnight + timedelta(days=1))
    op.execute(
        f"ALTER TABLE traces ATTACH PARTITION traces_before FOR VALUES FROM (MINVALUE) TO ('{end}')"
    )
    op.execute("CREATE TABLE traces_default PARTITION OF traces DEFAULT")


def downgrade() -> None:
    """Copy everything into a plain table again."""
    op.execute("ALTER TABLE traces RENAME TO traces_by_day")
    op.execute("CREATE TABLE traces (LIKE traces_by_day, PRIMARY KEY (id))")
    op.execute("INSERT INTO traces SELECT * FROM traces_by_day")
    op.execute("DROP TABLE traces_by_day")
    for column, table in FOREIGN_KEYS:
        op.execute(f"ALTER TABLE traces ADD FOREIGN KEY ({column}) REFERENCES {table} (id)")
    for name, columns in INDEXES.items():
        op.execute(f"CREATE INDEX ix_traces_{name} ON traces {columns}")
    for table in REFERRING:
        # What retention took with it has nothing left to refer to.
        op.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT {table}_trace_id_fkey "
            "FOREIGN KEY (trace_id) REFERENCES traces (id) NOT VALID"
        )
