"""The tables. Rows stay inside `shared/storage`; everybody else sees contracts.

What the database itself refuses (an ungated adapter on a public name, changed adapter files, two
active cycles for a model) is in `migrations/`.
"""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.contracts.base import new_id


class Row(DeclarativeBase):
    """Base of all rows."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        float: Float,
    }


def _id() -> Mapped[UUID]:
    return mapped_column(primary_key=True, default=new_id)


def _now() -> Mapped[datetime]:
    return mapped_column(server_default=func.now())


class TenantRow(Row):
    """Who owns models, keys and traces; authors' names are hashed with its secret."""

    __tablename__ = "tenants"
    id: Mapped[UUID] = _id()
    name: Mapped[str] = mapped_column(unique=True)
    secret: Mapped[str] = mapped_column(
        server_default=text("replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '')")
    )
    created_at: Mapped[datetime] = _now()


class ApiKeyRow(Row):
    """A bearer key, as its SHA-256 only; a revoked one's is no longer one (migration 0013)."""

    __tablename__ = "api_keys"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)
    id: Mapped[UUID] = _id()
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id"))
    name: Mapped[str]
    role: Mapped[str] = mapped_column("scope")
    key_sha256: Mapped[str] = mapped_column(unique=True)
    created_by: Mapped[str | None]
    created_at: Mapped[datetime] = _now()
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class ErasedAuthorRow(Row):
    """Somebody who asked to be forgotten: what was said before, and comes late, is refused."""

    __tablename__ = "erased_authors"
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    author: Mapped[str] = mapped_column(primary_key=True)
    erased_at: Mapped[datetime] = _now()


class ModelRow(Row):
    """A public name, and the pointer that promotion and rollback move."""

    __tablename__ = "models"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)
    id: Mapped[UUID] = _id()
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id"))
    name: Mapped[str]
    base: Mapped[str]
    active_adapter_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("adapters.id", use_alter=True)
    )
    created_at: Mapped[datetime] = _now()


class AdapterRow(Row):
    """One immutable LoRA version."""

    __tablename__ = "adapters"
    __table_args__ = (UniqueConstraint("model_id", "version"),)
    id: Mapped[UUID] = _id()
    model_id: Mapped[UUID] = mapped_column(ForeignKey("models.id"))
    version: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str]
    path: Mapped[str]
    engine_name: Mapped[str] = mapped_column(unique=True)
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("adapters.id"))
    cycle_id: Mapped[UUID | None] = mapped_column(ForeignKey("sleep_cycles.id"))
    override_by: Mapped[str | None]
    override_reason: Mapped[str | None]
    erased_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = _now()


class AdapterMemoryRow(Row):
    """Which memories an adapter was trained on: the walk from trace to weights and back.

    It knows those that were learned when it was promoted.
    """

    __tablename__ = "adapter_memories"
    adapter_id: Mapped[UUID] = mapped_column(ForeignKey("adapters.id"), primary_key=True)
    memory_id: Mapped[UUID] = mapped_column(ForeignKey("memories.id"), primary_key=True, index=True)
    known: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))


class GateReportRow(Row):
    """The gate's decision; written once."""

    __tablename__ = "gate_reports"
    adapter_id: Mapped[UUID] = mapped_column(ForeignKey("adapters.id"), primary_key=True)
    cycle_id: Mapped[UUID | None] = mapped_column(ForeignKey("sleep_cycles.id"))
    passed: Mapped[bool] = mapped_column(Boolean)
    reason: Mapped[str]
    suites: Mapped[list[Any]]
    created_at: Mapped[datetime] = _now()


class PromotionRow(Row):
    """One move of a model's pointer; None stands for the bare base."""

    __tablename__ = "promotions"
    __table_args__ = (Index("ix_promotions_model", "model_id", "id"),)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    model_id: Mapped[UUID] = mapped_column(ForeignKey("models.id"))
    from_adapter_id: Mapped[UUID | None] = mapped_column(ForeignKey("adapters.id"))
    to_adapter_id: Mapped[UUID | None] = mapped_column(ForeignKey("adapters.id"))
    kind: Mapped[str]
    actor: Mapped[str]
    reason: Mapped[str | None]
    cycle_id: Mapped[UUID | None] = mapped_column(ForeignKey("sleep_cycles.id"))
    created_at: Mapped[datetime] = _now()


class TraceRow(Row):
    """One recorded exchange, and its place in consolidation.

    One partition for each day (`shared/storage/partitions.py`). Nothing refers to it by a foreign
    key, which would keep a partition from being dropped; it has none itself, as each would be
    checked for every trace.
    """

    __tablename__ = "traces"
    __table_args__ = (
        Index(
            "ix_traces_queued",
            "model_id",
            "created_at",
            "id",
            postgresql_where=text("state = 'queued'"),
        ),
        Index("ix_traces_thread", "model_id", "thread_sha256", "id"),
        Index("ix_traces_session", "model_id", "session_id", "id"),
        Index("ix_traces_cycle", "cycle_id"),
        Index("ix_traces_parent", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
        Index("ix_traces_author", "author", postgresql_where=text("author IS NOT NULL")),
        {"postgresql_partition_by": "RANGE (id)"},
    )
    id: Mapped[UUID] = _id()
    tenant_id: Mapped[UUID]
    model_id: Mapped[UUID]
    session_id: Mapped[str]
    parent_id: Mapped[UUID | None]
    adapter_id: Mapped[UUID | None]
    status: Mapped[str]
    store: Mapped[bool] = mapped_column(Boolean)
    state: Mapped[str]
    cycle_id: Mapped[UUID | None]
    request: Mapped[dict[str, Any]]
    reply: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    prompt_token_ids: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    token_ids: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    usage: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    timing: Mapped[dict[str, Any]]
    memory_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid))
    error: Mapped[str | None]
    thread_sha256: Mapped[str]
    created_at: Mapped[datetime]
    author: Mapped[str | None]
    by_teacher: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))


class SignalRow(Row):
    """What somebody said of a trace; consolidated on its own, as it may come late."""

    __tablename__ = "signals"
    __table_args__ = (
        UniqueConstraint("tenant_id", "idempotency_key"),
        Index("ix_signals_queued", "id", postgresql_where=text("state = 'queued'")),
        Index("ix_signals_cycle", "cycle_id"),
        Index("ix_signals_author", "author", postgresql_where=text("author IS NOT NULL")),
    )
    id: Mapped[UUID] = _id()
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id"))
    trace_id: Mapped[UUID] = mapped_column(index=True)
    source: Mapped[str]
    rating: Mapped[float | None]
    correction: Mapped[str | None]
    comment: Mapped[str | None]
    idempotency_key: Mapped[str | None]
    content_sha256: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="queued")
    cycle_id: Mapped[UUID | None] = mapped_column(ForeignKey("sleep_cycles.id"))
    created_at: Mapped[datetime] = _now()
    author: Mapped[str | None]
    by_teacher: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))


class TraceDecisionRow(Row):
    """Why a trace was kept or not."""

    __tablename__ = "trace_decisions"
    __table_args__ = (
        Index("ix_trace_decisions_way", "way", postgresql_where=text("way IS NOT NULL")),
    )
    trace_id: Mapped[UUID] = mapped_column(primary_key=True)
    cycle_id: Mapped[UUID] = mapped_column(ForeignKey("sleep_cycles.id"), primary_key=True)
    persistence: Mapped[str]
    reason: Mapped[str]
    way: Mapped[str | None]


class DocumentRow(Row):
    """A text to study, and its place in consolidation."""

    __tablename__ = "documents"
    __table_args__ = (
        UniqueConstraint("model_id", "sha256"),
        Index("ix_documents_queued", "model_id", "id", postgresql_where=text("state = 'queued'")),
        Index("ix_documents_cycle", "cycle_id"),
    )
    id: Mapped[UUID] = _id()
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id"))
    model_id: Mapped[UUID] = mapped_column(ForeignKey("models.id"))
    title: Mapped[str]
    text: Mapped[str]
    sha256: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="queued")
    counts: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    cycle_id: Mapped[UUID | None] = mapped_column(ForeignKey("sleep_cycles.id"))
    created_at: Mapped[datetime] = _now()


class MemoryRow(Row):
    """One thing worth keeping."""

    __tablename__ = "memories"
    __table_args__ = (
        Index("ix_memories_model_state", "model_id", "state"),
        Index("ix_memories_cycle", "cycle_id"),
    )
    id: Mapped[UUID] = _id()
    model_id: Mapped[UUID] = mapped_column(ForeignKey("models.id"))
    cycle_id: Mapped[UUID] = mapped_column(ForeignKey("sleep_cycles.id"))
    kind: Mapped[str]
    persistence: Mapped[str]
    state: Mapped[str]
    scope: Mapped[str]
    subject: Mapped[str]
    relation: Mapped[str]
    question: Mapped[str]
    answer: Mapped[str]
    value: Mapped[str]
    reason: Mapped[str]
    session_id: Mapped[str | None]
    expires_at: Mapped[datetime | None]
    superseded_by: Mapped[UUID | None] = mapped_column(ForeignKey("memories.id"))
    reviewed_by: Mapped[str | None]
    document_id: Mapped[UUID | None] = mapped_column(ForeignKey("documents.id"))
    created_at: Mapped[datetime] = _now()
    author: Mapped[str | None]
    authority: Mapped[str | None]
    held_for: Mapped[str | None]
    language: Mapped[str | None]


class MemoryEvidenceRow(Row):
    """The traces that a memory rests on, and who said it there; '' where nobody knows."""

    __tablename__ = "memory_evidence"
    __table_args__ = (
        Index(
            "ix_memory_evidence_signal",
            "signal_id",
            postgresql_where=text("signal_id IS NOT NULL"),
        ),
    )
    memory_id: Mapped[UUID] = mapped_column(ForeignKey("memories.id"), primary_key=True)
    trace_id: Mapped[UUID] = mapped_column(primary_key=True, index=True)
    author: Mapped[str] = mapped_column(primary_key=True, server_default="")
    signal_id: Mapped[UUID | None] = mapped_column(ForeignKey("signals.id"))
    quote: Mapped[str]
    by_teacher: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))


class SleepCycleRow(Row):
    """A cycle's state; whoever holds an unexpired lease may write it."""

    __tablename__ = "sleep_cycles"
    __table_args__ = (
        Index(
            "uq_sleep_cycles_active",
            "model_id",
            unique=True,
            postgresql_where=text("status IN ('queued', 'running')"),
        ),
        Index("ix_sleep_cycles_model", "model_id", "id"),
    )
    id: Mapped[UUID] = _id()
    model_id: Mapped[UUID] = mapped_column(ForeignKey("models.id"))
    status: Mapped[str]
    stage: Mapped[str | None]
    progress: Mapped[float]
    detail: Mapped[str | None]
    counts: Mapped[dict[str, Any]]
    trigger: Mapped[str]
    reason: Mapped[str | None]
    requested_by: Mapped[str | None]
    stop_after: Mapped[str | None]
    error: Mapped[str | None]
    adapter_id: Mapped[UUID | None] = mapped_column(ForeignKey("adapters.id", use_alter=True))
    lease_token: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    cancel_requested: Mapped[bool] = mapped_column(Boolean)
    attempts: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = _now()
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class StageResultRow(Row):
    """A finished stage: where a cycle that died resumes."""

    __tablename__ = "stage_results"
    cycle_id: Mapped[UUID] = mapped_column(ForeignKey("sleep_cycles.id"), primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    result: Mapped[dict[str, Any]]
    seconds: Mapped[float]
    finished_at: Mapped[datetime] = _now()


class SeedExampleRow(Row):
    """A training example or held-out probe drawn from a memory."""

    __tablename__ = "seed_examples"
    __table_args__ = (Index("ix_seed_examples_cycle", "cycle_id"),)
    id: Mapped[UUID] = _id()
    cycle_id: Mapped[UUID] = mapped_column(ForeignKey("sleep_cycles.id"))
    memory_id: Mapped[UUID] = mapped_column(ForeignKey("memories.id"), index=True)
    split: Mapped[str]
    form: Mapped[str]
    messages: Mapped[list[Any]]
    accept: Mapped[list[Any]]


class DreamRow(Row):
    """A dreamt prompt with the awake model's answer."""

    __tablename__ = "dreams"
    __table_args__ = (Index("ix_dreams_cycle", "cycle_id"),)
    id: Mapped[UUID] = _id()
    cycle_id: Mapped[UUID] = mapped_column(ForeignKey("sleep_cycles.id"))
    messages: Mapped[list[Any]]


class OutboxRow(Row):
    """A wake-up that must reach the queue; beat sends it again until it did."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_unsent", "id", postgresql_where=text("sent_at IS NULL")),)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    task: Mapped[str]
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = _now()
    sent_at: Mapped[datetime | None]
