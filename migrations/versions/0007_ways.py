"""A decision keeps an agent's way, so that a later night finds it again.

The code before this migration goes on beside it.

Revision ID: 0007
"""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the way and its index."""
    op.execute("ALTER TABLE trace_decisions ADD COLUMN way TEXT")
    op.execute("CREATE INDEX ix_trace_decisions_way ON trace_decisions (way) WHERE way IS NOT NULL")


def downgrade() -> None:
    """Drop it."""
    op.execute("ALTER TABLE trace_decisions DROP COLUMN way")
