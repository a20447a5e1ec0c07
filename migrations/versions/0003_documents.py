"""Documents to study, and the memories that they give.

The new column may be empty, so the code before this migration goes on beside it.

Revision ID: 0003
"""

from alembic import op

revision = "0003"
down_revision = "0002"

TABLES = """
CREATE TABLE documents (
    id UUID NOT NULL,
    tenant_id UUID NOT NULL,
    model_id UUID NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    state TEXT DEFAULT 'queued' NOT NULL,
    counts JSONB,
    cycle_id UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (model_id, sha256),
    FOREIGN KEY(tenant_id) REFERENCES tenants (id),
    FOREIGN KEY(model_id) REFERENCES models (id),
    FOREIGN KEY(cycle_id) REFERENCES sleep_cycles (id)
);

CREATE INDEX ix_documents_queued ON documents (model_id, id) WHERE state = 'queued';

CREATE INDEX ix_documents_cycle ON documents (cycle_id);

ALTER TABLE memories ADD COLUMN document_id UUID REFERENCES documents (id);
"""


def upgrade() -> None:
    """Add the table and a column."""
    op.execute(TABLES)


def downgrade() -> None:
    """Drop them; what was learned from documents stays as memories."""
    op.execute("ALTER TABLE memories DROP COLUMN document_id")
    op.execute("DROP TABLE documents")
