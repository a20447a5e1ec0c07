"""Traces are not checked against what they name: a sixth of what it cost PostgreSQL to add one.

Each check read, locked and marked the same few rows, for every trace. What a trace names was read
from those tables by whoever writes it, and nothing there is ever deleted.

The code before this migration goes on beside it.

Revision ID: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

REFERRED = (
    ("tenant_id", "tenants"),
    ("model_id", "models"),
    ("adapter_id", "adapters"),
    ("cycle_id", "sleep_cycles"),
)


def upgrade() -> None:
    """Drop the foreign keys; what earlier migrations called them depends on the way here."""
    for key in sa.inspect(op.get_bind()).get_foreign_keys("traces"):
        op.execute(f'ALTER TABLE traces DROP CONSTRAINT "{key["name"]}"')


def downgrade() -> None:
    """Check again; reads every trace."""
    for column, table in REFERRED:
        op.execute(f"ALTER TABLE traces ADD FOREIGN KEY ({column}) REFERENCES {table} (id)")
