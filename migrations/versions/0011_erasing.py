"""A version that knows what was erased never answers again; a conversation's later turns are found.

The code before this migration goes on beside it. Traces wait in the spool while the index is built.

Revision ID: 0011
"""

from alembic import op

revision = "0011"
down_revision = "0010"

# As in the first migration, but for erased versions.
POINTER = """
CREATE OR REPLACE FUNCTION require_gated_adapter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.active_adapter_id IS NULL THEN
        RETURN NEW;
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM adapters a LEFT JOIN gate_reports g ON g.adapter_id = a.id
        WHERE a.id = NEW.active_adapter_id AND a.model_id = NEW.id {and_not_erased}
          AND (g.passed OR (a.override_by <> '' AND a.override_reason <> ''))
    ) THEN
        RAISE EXCEPTION 'adapter % has no passed gate for model %', NEW.active_adapter_id, NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'models_active_adapter_gated';
    END IF;
    RETURN NEW;
END $$
"""
FOR_GOOD = """
CREATE FUNCTION refuse_erasing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.erased_at IS NOT NULL THEN
        RAISE EXCEPTION 'adapter % is erased for good', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT 1 FROM models WHERE active_adapter_id = NEW.id) THEN
        RAISE EXCEPTION 'adapter % still answers', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER adapters_erased_for_good BEFORE UPDATE OF erased_at ON adapters
    FOR EACH ROW EXECUTE FUNCTION refuse_erasing();
"""


def upgrade() -> None:
    """Add the column, its guards and the index."""
    op.execute("ALTER TABLE adapters ADD COLUMN erased_at TIMESTAMP WITH TIME ZONE")
    op.execute(POINTER.format(and_not_erased="AND a.erased_at IS NULL"))
    op.execute(FOR_GOOD)
    op.execute("CREATE INDEX ix_traces_parent ON traces (parent_id) WHERE parent_id IS NOT NULL")


def downgrade() -> None:
    """Drop them; what was erased stays so, without the guard."""
    op.execute("DROP INDEX ix_traces_parent")
    op.execute("DROP TRIGGER adapters_erased_for_good ON adapters")
    op.execute("DROP FUNCTION refuse_erasing()")
    op.execute(POINTER.format(and_not_erased=""))
    op.execute("ALTER TABLE adapters DROP COLUMN erased_at")
