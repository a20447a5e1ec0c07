"""The first tables, and what the database itself refuses.

Revision ID: 0001
"""

from alembic import op

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE tenants (
    id UUID NOT NULL,
    name TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (name)
);

CREATE TABLE outbox (
    id BIGSERIAL NOT NULL,
    task TEXT NOT NULL,
    payload JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id)
);

CREATE INDEX ix_outbox_unsent ON outbox (id) WHERE sent_at IS NULL;

CREATE TABLE api_keys (
    id UUID NOT NULL,
    tenant_id UUID NOT NULL,
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    key_sha256 TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (tenant_id, name),
    FOREIGN KEY(tenant_id) REFERENCES tenants (id),
    UNIQUE (key_sha256)
);

CREATE TABLE models (
    id UUID NOT NULL,
    tenant_id UUID NOT NULL,
    name TEXT NOT NULL,
    base TEXT NOT NULL,
    active_adapter_id UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (tenant_id, name),
    FOREIGN KEY(tenant_id) REFERENCES tenants (id)
);

CREATE TABLE sleep_cycles (
    id UUID NOT NULL,
    model_id UUID NOT NULL,
    status TEXT NOT NULL,
    stage TEXT,
    progress FLOAT NOT NULL,
    detail TEXT,
    counts JSONB NOT NULL,
    trigger TEXT NOT NULL,
    reason TEXT,
    requested_by TEXT,
    error TEXT,
    adapter_id UUID,
    lease_token UUID,
    lease_until TIMESTAMP WITH TIME ZONE,
    cancel_requested BOOLEAN NOT NULL,
    attempts INTEGER NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(model_id) REFERENCES models (id)
);

CREATE UNIQUE INDEX uq_sleep_cycles_active ON sleep_cycles (model_id)
    WHERE status IN ('queued', 'running');

CREATE INDEX ix_sleep_cycles_model ON sleep_cycles (model_id, id);

CREATE TABLE adapters (
    id UUID NOT NULL,
    model_id UUID NOT NULL,
    version INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    path TEXT NOT NULL,
    engine_name TEXT NOT NULL,
    parent_id UUID,
    cycle_id UUID,
    override_by TEXT,
    override_reason TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (model_id, version),
    FOREIGN KEY(model_id) REFERENCES models (id),
    UNIQUE (engine_name),
    FOREIGN KEY(parent_id) REFERENCES adapters (id),
    FOREIGN KEY(cycle_id) REFERENCES sleep_cycles (id)
);

CREATE TABLE memories (
    id UUID NOT NULL,
    model_id UUID NOT NULL,
    cycle_id UUID NOT NULL,
    kind TEXT NOT NULL,
    persistence TEXT NOT NULL,
    state TEXT NOT NULL,
    scope TEXT NOT NULL,
    subject TEXT NOT NULL,
    relation TEXT NOT NULL,
    question TEXT NOT NULL,
    answer TEXT NOT NULL,
    value TEXT NOT NULL,
    reason TEXT NOT NULL,
    session_id TEXT,
    expires_at TIMESTAMP WITH TIME ZONE,
    superseded_by UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(model_id) REFERENCES models (id),
    FOREIGN KEY(cycle_id) REFERENCES sleep_cycles (id),
    FOREIGN KEY(superseded_by) REFERENCES memories (id)
);

CREATE INDEX ix_memories_model_state ON memories (model_id, state);

CREATE INDEX ix_memories_cycle ON memories (cycle_id);

CREATE TABLE stage_results (
    cycle_id UUID NOT NULL,
    stage TEXT NOT NULL,
    result JSONB NOT NULL,
    seconds FLOAT NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (cycle_id, stage),
    FOREIGN KEY(cycle_id) REFERENCES sleep_cycles (id)
);

CREATE TABLE dreams (
    id UUID NOT NULL,
    cycle_id UUID NOT NULL,
    messages JSONB NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(cycle_id) REFERENCES sleep_cycles (id)
);

CREATE INDEX ix_dreams_cycle ON dreams (cycle_id);

CREATE TABLE adapter_memories (
    adapter_id UUID NOT NULL,
    memory_id UUID NOT NULL,
    PRIMARY KEY (adapter_id, memory_id),
    FOREIGN KEY(adapter_id) REFERENCES adapters (id),
    FOREIGN KEY(memory_id) REFERENCES memories (id)
);

CREATE INDEX ix_adapter_memories_memory_id ON adapter_memories (memory_id);

CREATE TABLE gate_reports (
    adapter_id UUID NOT NULL,
    cycle_id UUID,
    passed BOOLEAN NOT NULL,
    reason TEXT NOT NULL,
    suites JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (adapter_id),
    FOREIGN KEY(adapter_id) REFERENCES adapters (id),
    FOREIGN KEY(cycle_id) REFERENCES sleep_cycles (id)
);

CREATE TABLE promotions (
    id BIGSERIAL NOT NULL,
    model_id UUID NOT NULL,
    from_adapter_id UUID,
    to_adapter_id UUID,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT,
    cycle_id UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(model_id) REFERENCES models (id),
    FOREIGN KEY(from_adapter_id) REFERENCES adapters (id),
    FOREIGN KEY(to_adapter_id) REFERENCES adapters (id),
    FOREIGN KEY(cycle_id) REFERENCES sleep_cycles (id)
);

CREATE INDEX ix_promotions_model ON promotions (model_id, id);

CREATE TABLE traces (
    id UUID NOT NULL,
    tenant_id UUID NOT NULL,
    model_id UUID NOT NULL,
    session_id TEXT NOT NULL,
    parent_id UUID,
    adapter_id UUID,
    status TEXT NOT NULL,
    store BOOLEAN NOT NULL,
    state TEXT NOT NULL,
    cycle_id UUID,
    request JSONB NOT NULL,
    reply JSONB,
    prompt_token_ids INTEGER[],
    token_ids JSONB,
    usage JSONB,
    timing JSONB NOT NULL,
    error TEXT,
    thread_sha256 TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(tenant_id) REFERENCES tenants (id),
    FOREIGN KEY(model_id) REFERENCES models (id),
    FOREIGN KEY(adapter_id) REFERENCES adapters (id),
    FOREIGN KEY(cycle_id) REFERENCES sleep_cycles (id)
);

CREATE INDEX ix_traces_thread ON traces (model_id, thread_sha256, id);

CREATE INDEX ix_traces_cycle ON traces (cycle_id);

CREATE INDEX ix_traces_session ON traces (model_id, session_id, id);

CREATE INDEX ix_traces_queued ON traces (model_id, id) WHERE state = 'queued';

CREATE TABLE seed_examples (
    id UUID NOT NULL,
    cycle_id UUID NOT NULL,
    memory_id UUID NOT NULL,
    split TEXT NOT NULL,
    form TEXT NOT NULL,
    messages JSONB NOT NULL,
    accept JSONB NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(cycle_id) REFERENCES sleep_cycles (id),
    FOREIGN KEY(memory_id) REFERENCES memories (id)
);

CREATE INDEX ix_seed_examples_cycle ON seed_examples (cycle_id);

CREATE INDEX ix_seed_examples_memory_id ON seed_examples (memory_id);

CREATE TABLE signals (
    id UUID NOT NULL,
    tenant_id UUID NOT NULL,
    trace_id UUID NOT NULL,
    source TEXT NOT NULL,
    rating FLOAT,
    correction TEXT,
    comment TEXT,
    idempotency_key TEXT,
    content_sha256 TEXT NOT NULL,
    state TEXT DEFAULT 'queued' NOT NULL,
    cycle_id UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (tenant_id, idempotency_key),
    FOREIGN KEY(tenant_id) REFERENCES tenants (id),
    FOREIGN KEY(trace_id) REFERENCES traces (id),
    FOREIGN KEY(cycle_id) REFERENCES sleep_cycles (id)
);

CREATE INDEX ix_signals_queued ON signals (id) WHERE state = 'queued';

CREATE INDEX ix_signals_trace_id ON signals (trace_id);

CREATE INDEX ix_signals_cycle ON signals (cycle_id);

CREATE TABLE trace_decisions (
    trace_id UUID NOT NULL,
    cycle_id UUID NOT NULL,
    persistence TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (trace_id, cycle_id),
    FOREIGN KEY(trace_id) REFERENCES traces (id),
    FOREIGN KEY(cycle_id) REFERENCES sleep_cycles (id)
);

CREATE TABLE memory_evidence (
    memory_id UUID NOT NULL,
    trace_id UUID NOT NULL,
    signal_id UUID,
    quote TEXT NOT NULL,
    PRIMARY KEY (memory_id, trace_id),
    FOREIGN KEY(memory_id) REFERENCES memories (id),
    FOREIGN KEY(trace_id) REFERENCES traces (id),
    FOREIGN KEY(signal_id) REFERENCES signals (id)
);

CREATE INDEX ix_memory_evidence_trace_id ON memory_evidence (trace_id);

ALTER TABLE sleep_cycles ADD FOREIGN KEY(adapter_id) REFERENCES adapters (id);

ALTER TABLE models ADD FOREIGN KEY(active_adapter_id) REFERENCES adapters (id);

"""

# Promise: no adapter answers on a public name without a passed gate, or an override that names who
# and why. The pointer also never leaves its own model, which belongs to one tenant.
GATED_POINTER = """
CREATE FUNCTION require_gated_adapter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.active_adapter_id IS NULL THEN
        RETURN NEW;
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM adapters a LEFT JOIN gate_reports g ON g.adapter_id = a.id
        WHERE a.id = NEW.active_adapter_id AND a.model_id = NEW.id
          AND (g.passed OR (a.override_by <> '' AND a.override_reason <> ''))
    ) THEN
        RAISE EXCEPTION 'adapter % has no passed gate for model %', NEW.active_adapter_id, NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'models_active_adapter_gated';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER models_active_adapter_gated BEFORE INSERT OR UPDATE ON models
    FOR EACH ROW EXECUTE FUNCTION require_gated_adapter();
"""

# Promise: adapter files are immutable; what the gate decided and who moved the pointer stays
# as written. Only an override may be added to an adapter.
IMMUTABLE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is written once', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER gate_reports_written_once BEFORE UPDATE OR DELETE ON gate_reports
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER promotions_written_once BEFORE UPDATE OR DELETE ON promotions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER adapters_written_once
    BEFORE UPDATE OF id, model_id, version, sha256, path, engine_name, parent_id ON adapters
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    """Create everything."""
    op.execute(TABLES)
    op.execute(GATED_POINTER)
    op.execute(IMMUTABLE)


def downgrade() -> None:
    """There is nothing before the first tables.

    Raises:
        NotImplementedError: Always; drop the database instead.
    """
    raise NotImplementedError("the first migration cannot be undone: drop the database instead")
