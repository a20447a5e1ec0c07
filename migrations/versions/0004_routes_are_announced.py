"""Who answers on a name, who holds a key and what waits to be learned is announced when it changes.

Every API process remembers it for a moment; told of a change it asks again at once. The code
before this migration goes on beside it.

Revision ID: 0004
"""

from alembic import op

revision = "0004"
down_revision = "0003"

CHANNEL = "dormouse_routes"
TABLES = ("models", "api_keys", "memories")
FUNCTION = f"""
CREATE FUNCTION announce_routes() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN NOTIFY {CHANNEL}; RETURN NULL; END $$
"""


def upgrade() -> None:
    """Add the function and its triggers."""
    op.execute(FUNCTION)
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER {table}_announced AFTER INSERT OR UPDATE OR DELETE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION announce_routes()"
        )


def downgrade() -> None:
    """Remove them."""
    for table in TABLES:
        op.execute(f"DROP TRIGGER {table}_announced ON {table}")
    op.execute("DROP FUNCTION announce_routes()")
