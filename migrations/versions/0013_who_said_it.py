"""Who said it: authors of traces, signals and evidence, and keys that expire and are revoked.

What is learned stays. A lesson that waits is held, once, as nobody knows who said it, unless a
person accepted it, a document stated it, or a version knows it. The code before this migration goes
on beside it: it cannot bring a revoked key back, and what it finds waits until a night of the new
code has looked at who said it. Traces wait in the spool while their index is built.

Revision ID: 0013
"""

from alembic import op

revision = "0013"
down_revision = "0012"

UNKNOWN = "who said it was not recorded then: it waits for more authors, a teacher or a reviewer"

# Older code neither asks whether a key is revoked nor whether it may write one anew.
REVOKED_FOR_GOOD = """
CREATE FUNCTION keep_revoked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.revoked_at IS NOT NULL THEN
            RETURN NULL;
        END IF;
        IF NEW.revoked_at IS NOT NULL THEN
            NEW.key_sha256 := 'revoked ' || OLD.key_sha256;
            RETURN NEW;
        END IF;
    END IF;
    IF EXISTS (SELECT 1 FROM api_keys WHERE key_sha256 = 'revoked ' || NEW.key_sha256) THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER api_keys_revoked_for_good BEFORE INSERT OR UPDATE ON api_keys
    FOR EACH ROW EXECUTE FUNCTION keep_revoked();
"""


def upgrade() -> None:
    """Add the columns; no large table is rewritten."""
    # Two random UUIDs: 244 bits.
    op.execute(
        "ALTER TABLE tenants ADD COLUMN secret TEXT NOT NULL DEFAULT "
        "replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '')"
    )
    for column in (
        "created_by TEXT",
        "expires_at TIMESTAMP WITH TIME ZONE",
        "revoked_at TIMESTAMP WITH TIME ZONE",
        "last_used_at TIMESTAMP WITH TIME ZONE",
    ):
        op.execute(f"ALTER TABLE api_keys ADD COLUMN {column}")
    # After a downgrade: what it left of a revoked key.
    op.execute("UPDATE api_keys SET revoked_at = now() WHERE key_sha256 LIKE 'revoked %'")
    op.execute(REVOKED_FOR_GOOD)
    for table in ("traces", "signals"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN author TEXT")
        op.execute(f"ALTER TABLE {table} ADD COLUMN by_teacher BOOLEAN NOT NULL DEFAULT false")
    op.execute("CREATE INDEX ix_traces_author ON traces (author) WHERE author IS NOT NULL")
    op.execute("CREATE INDEX ix_signals_author ON signals (author) WHERE author IS NOT NULL")
    op.execute("ALTER TABLE memory_evidence ADD COLUMN author TEXT NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE memory_evidence ADD COLUMN by_teacher BOOLEAN NOT NULL DEFAULT false")
    op.execute("ALTER TABLE memory_evidence DROP CONSTRAINT memory_evidence_pkey")
    op.execute("ALTER TABLE memory_evidence ADD PRIMARY KEY (memory_id, trace_id, author)")
    for column in ("author", "authority", "held_for", "language"):
        op.execute(f"ALTER TABLE memories ADD COLUMN {column} TEXT")
    op.execute(
        "CREATE TABLE erased_authors (tenant_id UUID NOT NULL REFERENCES tenants (id), "
        "author TEXT NOT NULL, erased_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), "
        "PRIMARY KEY (tenant_id, author))"
    )
    op.execute("ALTER TABLE sleep_cycles ADD COLUMN stop_after TEXT")
    _look_at_what_is_there()


def _look_at_what_is_there() -> None:
    # After a downgrade some are held already as nobody knows who said them.
    op.execute(
        "UPDATE memories SET held_for = CASE "
        f"WHEN strpos(reason, '; {UNKNOWN}') > 0 THEN 'authors' ELSE 'conflict' END "
        "WHERE state = 'held'"
    )
    # For what a person rejected nobody stands, whoever decided it.
    op.execute(
        "UPDATE memories SET authority = "
        "CASE WHEN reviewed_by IS NOT NULL THEN 'reviewer' ELSE 'teacher' END "
        "WHERE persistence = 'long_term' AND state NOT IN ('rejected', 'erased') "
        "AND (reviewed_by IS NOT NULL OR document_id IS NOT NULL)"
    )
    op.execute(
        "UPDATE memories SET authority = 'legacy' WHERE persistence = 'long_term' "
        "AND authority IS NULL AND state NOT IN ('rejected', 'erased') "
        "AND (state IN ('learned', 'rolled_back') OR EXISTS ("
        "SELECT FROM adapter_memories known WHERE known.memory_id = memories.id AND known.known))"
    )
    # What a night under way is teaching is left to it: were it held, weights would hold it that
    # nobody says are learned. If that night leaves it pending, the next one looks at it.
    op.execute(
        "UPDATE memories SET state = 'held', held_for = 'authors', "
        f"reason = reason || '; {UNKNOWN}' "
        "WHERE state = 'pending' AND persistence = 'long_term' AND authority IS NULL "
        "AND NOT EXISTS (SELECT FROM stage_results resolved "
        "JOIN sleep_cycles cycle ON cycle.id = resolved.cycle_id "
        "WHERE cycle.status IN ('queued', 'running') AND resolved.stage = 'resolve' "
        "AND resolved.result -> 'to_learn' @> to_jsonb(CAST(memories.id AS text)))"
    )


def downgrade() -> None:
    """Drop them.

    What is held then is decided by a person. Revoked and expired keys stay unusable, one that
    would expire goes on, a teacher's is for chats only. A night that was to propose ends.
    """
    op.execute(
        "UPDATE sleep_cycles SET cancel_requested = true "
        "WHERE stop_after IS NOT NULL AND status IN ('queued', 'running')"
    )
    op.execute("UPDATE sleep_cycles SET status = 'skipped' WHERE status = 'proposed'")
    op.execute("ALTER TABLE sleep_cycles DROP COLUMN stop_after")
    op.execute("DROP TABLE erased_authors")
    for column in ("author", "authority", "held_for", "language"):
        op.execute(f"ALTER TABLE memories DROP COLUMN {column}")
    op.execute("ALTER TABLE memory_evidence DROP CONSTRAINT memory_evidence_pkey")
    op.execute(
        "DELETE FROM memory_evidence one USING memory_evidence other WHERE one.ctid > other.ctid "
        "AND one.memory_id = other.memory_id AND one.trace_id = other.trace_id"
    )
    op.execute("ALTER TABLE memory_evidence ADD PRIMARY KEY (memory_id, trace_id)")
    op.execute("ALTER TABLE memory_evidence DROP COLUMN by_teacher")
    op.execute("ALTER TABLE memory_evidence DROP COLUMN author")
    op.execute("DROP INDEX ix_signals_author")
    op.execute("DROP INDEX ix_traces_author")
    for table in ("signals", "traces"):
        op.execute(f"ALTER TABLE {table} DROP COLUMN by_teacher")
        op.execute(f"ALTER TABLE {table} DROP COLUMN author")
    op.execute(
        "UPDATE api_keys SET revoked_at = now() WHERE revoked_at IS NULL AND expires_at <= now()"
    )
    op.execute("DROP TRIGGER api_keys_revoked_for_good ON api_keys")
    op.execute("DROP FUNCTION keep_revoked()")
    op.execute("UPDATE api_keys SET scope = 'chat' WHERE scope = 'teacher'")
    for column in ("last_used_at", "revoked_at", "expires_at", "created_by"):
        op.execute(f"ALTER TABLE api_keys DROP COLUMN {column}")
    op.execute("ALTER TABLE tenants DROP COLUMN secret")
