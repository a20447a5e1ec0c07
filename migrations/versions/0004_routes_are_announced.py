"""Who answers on a name, and who holds a key, is announced when it changes.

Every API process remembers both for a moment; told of a change it asks again at once. The code
before this migration goes on beside it.

Revision ID: 0004
"""

from alembic import op

revision = "0004"
down_revision = "0003"

CHANNEL = "dormouse_routes"
FUNCTION = f"""
CREATE FUNCTION announce_routes() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN NOTIFY {CHANNEL}; RETURN NULL; END $$
"""


def upgrade() -> None:
    """Add the function and its triggers."""
    op.execute(FUNCTION)
    for table in ("models", "api_keys"):
        op.execute(
            f"CREATE TRIGGER {table}_announced AFTER INSERT OR UPDATE OR DELETE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION announce_routes()"
        )


def downgrade() -> None:
    """Remove them."""
    for table in ("models", "api_keys"):
        op.execute(f"DROP TRIGGER {table}_announced ON {table}")
    op.execute("DROP FUNCTION announce_routes()")
