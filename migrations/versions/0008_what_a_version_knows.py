"""Which of the memories that an adapter was trained on it knows: a rollback returns to these.

The code before this migration goes on beside it: it leaves the column at its default.

Revision ID: 0008
"""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column; versions that passed their gate know what was learned in the end."""
    op.execute("ALTER TABLE adapter_memories ADD COLUMN known BOOLEAN NOT NULL DEFAULT FALSE")
    op.execute(
        """
        UPDATE adapter_memories SET known = TRUE
        FROM memories, gate_reports
        WHERE memories.id = adapter_memories.memory_id
          AND memories.state IN ('learned', 'superseded')
          AND gate_reports.adapter_id = adapter_memories.adapter_id
          AND gate_reports.passed
        """
    )


def downgrade() -> None:
    """Drop it."""
    op.execute("ALTER TABLE adapter_memories DROP COLUMN known")
