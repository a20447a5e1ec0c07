"""Which memories a reply was given in its context, and who decided about a held memory.

Both columns may be empty, so the code before this migration goes on beside it.

Revision ID: 0002
"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add two columns; no table is rewritten."""
    op.execute("ALTER TABLE traces ADD COLUMN memory_ids UUID[]")
    op.execute("ALTER TABLE memories ADD COLUMN reviewed_by TEXT")


def downgrade() -> None:
    """Drop them."""
    op.execute("ALTER TABLE memories DROP COLUMN reviewed_by")
    op.execute("ALTER TABLE traces DROP COLUMN memory_ids")
