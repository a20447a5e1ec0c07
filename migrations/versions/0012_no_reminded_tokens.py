"""The prompt's tokens of a chat that was reminded hold what may be erased some day: they go.

The code before this migration goes on beside it, and records some more until it is replaced.

Revision ID: 0012
"""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Forget them."""
    op.execute(
        "UPDATE traces SET prompt_token_ids = NULL "
        "WHERE memory_ids IS NOT NULL AND prompt_token_ids IS NOT NULL"
    )


def downgrade() -> None:
    """They are gone."""
