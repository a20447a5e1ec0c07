"""Erasing a trace or a document, and with it what was learned from it."""

from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.directory import Directory
from api.engines import EnginePool
from api.erasure.plan import Find, Plan, document_target, plan, trace_target
from shared.contracts.adapters import AdapterFile
from shared.contracts.erasure import Erasure
from shared.contracts.keys import Caller
from shared.errors import RollbackError
from shared.storage.adapters import AdapterStore
from shared.storage.documents import DocumentStore
from shared.storage.erasure import ErasureStore
from shared.storage.known import KnownStore
from shared.storage.traces import TraceStore


class ErasureService:
    """Erases traces and documents.

    What others said too is read again by the next night, in their words. The versions that were
    trained on it never answer again. If one of them does now, the nearest version before them
    does instead, and what else they knew is learned again by the next nights: they are rebuilt
    without it. One transaction; once more, it erases what came since.

    Args:
        directory: Must ask again once the pointer has moved.
        engines: Must prove that the version that answers instead acts, before the pointer moves.
    """

    def __init__(self, directory: Directory, engines: EnginePool) -> None:
        self._directory = directory
        self._sessions = directory.sessions
        self._engines = engines

    async def erase_trace(self, caller: Caller, trace_id: UUID, reason: str | None) -> Erasure:
        """Erase a trace, the turns that repeat it, and what was learned from them.

        Raises:
            NotFoundError: If the tenant has no such trace.
            CycleActiveError: If a sleep cycle may be reading it.
            RollbackError: If the pointer was moved meanwhile.
            EngineError: If the version that would answer instead cannot.
        """
        return await self._erase(trace_target(caller, trace_id), caller, reason)

    async def erase_document(
        self, caller: Caller, document_id: UUID, reason: str | None
    ) -> Erasure:
        """Erase a document and what was learned from it; the same text may be given again.

        Raises:
            NotFoundError: If the tenant has no such document.
            CycleActiveError, RollbackError, EngineError: As for a trace.
        """
        return await self._erase(document_target(caller, document_id), caller, reason)

    async def _erase(self, find: Find, caller: Caller, reason: str | None) -> Erasure:
        async with self._sessions.begin() as session:
            foreseen = await plan(session, find)
        if foreseen.active != foreseen.previous:
            await self._engines.ensure(foreseen.active)
        why = f"erased by {caller.key_name}" + (f": {reason}" if reason else "")
        async with self._sessions.begin() as session:
            now = await plan(session, find)
            if now.active != foreseen.active:
                raise RollbackError("Another version answers than a moment ago. Try again.")
            to_relearn = await _carry_out(session, now, caller.key_name, why)
        self._directory.expire()
        return Erasure(
            trace_ids=list(now.target.repeated),
            memory_ids=now.target.memory_ids,
            reread=now.reread,
            adapters=list(now.adapters.values()),
            active=_version(now.active),
            previous=_version(now.previous),
            to_relearn=to_relearn,
        )


async def _carry_out(session: AsyncSession, plan: Plan, actor: str, why: str) -> int:
    """Erase it, in an order that the database lets pass.

    Returns:
        How many other lessons must be learned again.
    """
    target = plan.target
    store = ErasureStore(session, target.model_id)
    before = await store.num_pending(but=target.memory_ids)
    if target.document_id is not None:
        await store.erase_document(target.document_id, why)
    num_reread = await store.read_again(plan.reread, target.memory_ids)
    await store.erase_traces(target.trace_ids, why)
    await store.erase_results()
    await store.erase_memories(target.memory_ids, target.trace_ids, target.document_id, why)
    if plan.active != plan.previous:
        active_id = plan.active.id if plan.active else None
        await AdapterStore(session).move(
            model_id=target.model_id, to=active_id, kind="rollback", actor=actor, reason=why
        )
        await KnownStore(session, target.model_id).follow(
            active_id, unknown_become="pending", of_states=("learned",)
        )
    await store.erase_adapters(plan.adapters)
    await store.erase_seeds(target.memory_ids)
    waiting = await store.num_pending()
    num_queued = await TraceStore(session).count_queued(target.model_id, at_most=1)
    num_queued += await DocumentStore(session).count_queued(target.model_id)
    if not (waiting or num_queued):
        # Nothing is left to rebuild that a gate could ask.
        await store.drop_probes()
    elif not (plan.adapters and (waiting or plan.reread or num_reread)):
        await store.drop_probes(target.memory_ids)
    return waiting - before


def _version(adapter: AdapterFile | None) -> int | Literal["base"]:
    return adapter.version if adapter else "base"
