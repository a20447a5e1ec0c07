"""Triage: read traces and documents, write what was decided and the memories that they give."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import new_id
from shared.contracts.cycles import Lease
from shared.contracts.memories import Memory
from shared.contracts.traces import Signal, Trace
from shared.storage.cycles import SleepCycleStore
from shared.storage.documents import DocumentStore
from shared.storage.memories import MemoryStore
from shared.storage.signals import SignalStore
from shared.storage.traces import TraceStore
from worker.context import Context
from worker.control import CycleControl
from worker.results import Triaged
from worker.screens.languages import language_of
from worker.triage.agents import way_of
from worker.triage.documents import study
from worker.triage.findings import Finding, merged
from worker.triage.implicit import Implied, implied_by
from worker.triage.rules import judge

SESSION_MEMORY_TTL = timedelta(hours=24)
# How far apart the sessions may be in which an agent's way repeats.
WAYS_REMEMBERED_FOR = timedelta(days=30)


async def triage(context: Context, control: CycleControl) -> Triaged:
    """Judge the batch; what an earlier attempt wrote is written anew."""
    lease = control.lease
    async with context.sessions.begin() as session:
        traces = await TraceStore(session).claimed(lease.cycle_id)
        context_traces = await TraceStore(session).context(lease.cycle_id)
        signals = await SignalStore(session).claimed(lease.cycle_id)
        documents = await DocumentStore(session).claimed(lease.cycle_id)
        repeated = await _same_way(session, lease, traces)
    implied = implied_by(traces, context_traces)
    seen = {trace.id: trace for trace in (*repeated, *context_traces)}
    said = [*signals, *map(_signal, implied)]
    # The lease is renewed meanwhile.
    decisions, findings = await asyncio.to_thread(judge, traces, said, list(seen.values()))
    studied = {document.id: await asyncio.to_thread(study, document) for document in documents}
    read = [finding for each in studied.values() for finding in each.findings]
    found = merged([*findings, *read])
    memories = await asyncio.to_thread(lambda: [_memory(lease, finding) for finding in found])
    async with context.sessions.begin() as session:
        await SleepCycleStore(session).hold(lease)
        store = MemoryStore(session)
        await store.discard_of(lease.cycle_id)
        await store.add(memories)
        for item in implied:
            await SignalStore(session).add_implied(
                traces[0].tenant_id,
                lease.cycle_id,
                item.trace_id,
                item.with_trace,
                item.source,
                item.comment,
            )
        await TraceStore(session).add_decisions(lease.cycle_id, decisions)
        await DocumentStore(session).set_counts({i: each.counts for i, each in studied.items()})
    control.count(memories=len(memories))
    return Triaged(memory_ids=[memory.id for memory in memories])


async def _same_way(session: AsyncSession, lease: Lease, traces: Sequence[Trace]) -> list[Trace]:
    """Traces of earlier nights in which an agent went a way of these."""
    ways = {way for trace in traces if (way := way_of(trace)) is not None}
    since = datetime.now(UTC) - WAYS_REMEMBERED_FOR
    return await TraceStore(session).same_way(lease.model_id, ways, since) if ways else []


def _signal(implied: Implied) -> Signal:
    return Signal(
        id=new_id(),
        trace_id=implied.trace_id,
        source=implied.source,
        comment=implied.comment,
        created_at=datetime.now(UTC),
    )


def _memory(lease: Lease, finding: Finding) -> Memory:
    now = datetime.now(UTC)
    lasts = finding.persistence == "long_term"
    return Memory(
        id=new_id(),
        model_id=lease.model_id,
        cycle_id=lease.cycle_id,
        kind=finding.kind,
        persistence=finding.persistence,
        state="pending",
        subject=finding.subject,
        relation=finding.relation,
        question=finding.question,
        answer=finding.answer,
        value=finding.value,
        reason=finding.reason,
        session_id=None if lasts else finding.session_id,
        expires_at=None if lasts else now + SESSION_MEMORY_TTL,
        document_id=finding.document_id,
        author=None if lasts else finding.author,
        language=language_of(f"{finding.question} {finding.answer}"),
        evidence=list(finding.evidence),
        created_at=now,
    )
