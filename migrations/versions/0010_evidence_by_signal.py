"""Evidence is found by its signal: deleting a signal looks whether any rests on it.

Without the index each signal of a day that is dropped read all evidence, while chats waited. The
code before this migration goes on beside it; a night's writes wait while the index is built.

Revision ID: 0010
"""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the index."""
    op.execute(
        "CREATE INDEX ix_memory_evidence_signal ON memory_evidence (signal_id) "
        "WHERE signal_id IS NOT NULL"
    )


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP INDEX ix_memory_evidence_signal")
