"""Erasing a trace, a document or a person, and with it what was learned from it."""

from collections.abc import Mapping
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.authors import authors_of
from api.chat.recorder import TraceRecorder
from api.directory import Directory
from api.engines import EnginePool
from api.erasure.plan import Find, Plan, author_target, document_target, plan, trace_target
from shared.contracts.adapters import AdapterFile
from shared.contracts.erasure import AuthorErasure, Erasure
from shared.contracts.keys import Caller
from shared.errors import NotFoundError, RollbackError
from shared.storage.adapters import AdapterStore
from shared.storage.authors import AuthorStore
from shared.storage.documents import DocumentStore
from shared.storage.erasure import ErasureStore
from shared.storage.keys import KeyStore
from shared.storage.known import KnownStore
from shared.storage.models import ModelStore
from shared.storage.traces import TraceStore

# Who answers on each model; None: the base.
Active = Mapping[UUID, AdapterFile | None]


class ErasureService:
    """Erases traces, documents and persons.

    What others said too is read again by the next night, in their words. The versions that were
    trained on it never answer again. If one of them does now, the nearest version before them
    does instead, and what else they knew is learned again by the next nights: they are rebuilt
    without it. One transaction; once more, it erases what came since.

    Args:
        directory: Must ask again once the pointer has moved.
        engines: Must prove that the version that answers instead acts, before the pointer moves.
        recorder: Holds what is not in the database yet.
    """

    def __init__(self, directory: Directory, engines: EnginePool, recorder: TraceRecorder) -> None:
        self._directory = directory
        self._sessions = directory.sessions
        self._engines = engines
        self._recorder = recorder

    async def erase_trace(self, caller: Caller, trace_id: UUID, reason: str | None) -> Erasure:
        """Erase a trace, the turns that repeat it, and what was learned from them.

        Raises:
            NotFoundError: If the tenant has no such trace.
            CycleActiveError: If a sleep cycle may be reading it.
            RollbackError: If the pointer was moved meanwhile.
            EngineError: If the version that would answer instead cannot.
        """
        [erased] = await self._erase(trace_target(caller, trace_id), caller, reason)
        return erased

    async def erase_document(
        self, caller: Caller, document_id: UUID, reason: str | None
    ) -> Erasure:
        """Erase a document and what was learned from it; the same text may be given again.

        Raises:
            NotFoundError: If the tenant has no such document.
            CycleActiveError, RollbackError, EngineError: As for a trace.
        """
        [erased] = await self._erase(document_target(caller, document_id), caller, reason)
        return erased

    async def erase_author(self, caller: Caller, name: str, reason: str | None) -> AuthorErasure:
        """Erase all that a person said, on every model, and what was learned from it.

        What he said before and comes late is not let in; what he says from now on is new.

        Raises:
            NotFoundError: If nobody of this name ever said anything.
            CycleActiveError, RollbackError, EngineError: As for a trace, of any of the models.
            StorageError: If a spooled trace cannot be deleted; all else is erased then.
        """
        async with self._sessions.begin() as session:
            authors = await authors_of(KeyStore(session), caller, name)
        await self._recorder.settle()
        find = author_target(caller, authors)
        foreseen = await self._foresee(find)
        async with self._sessions.begin() as session:
            store = AuthorStore(session, caller.tenant_id, authors)
            is_known = bool(foreseen) or await store.was_erased()
            if not (is_known or await self._recorder.num_spooled_of(caller.tenant_id, authors)):
                raise NotFoundError(
                    f"Nobody named {name!r} said anything here. Give the name as your application "
                    "does, or key:NAME for who speaks with that key and names nobody."
                )
            before = await store.refuse()
            models = await _erase_as(foreseen, session, find, caller, reason)
            num_signals = await store.forget()
            names = {
                each.model_id: each.name
                for each in await ModelStore(session).names(caller.tenant_id)
            }
        self._directory.expire()
        return AuthorErasure(
            models={names[model_id]: erased for model_id, erased in models.items()},
            num_signals=num_signals,
            num_spooled=await self._recorder.erase_spooled(caller.tenant_id, authors, before),
        )

    async def _erase(self, find: Find, caller: Caller, reason: str | None) -> list[Erasure]:
        foreseen = await self._foresee(find)
        async with self._sessions.begin() as session:
            models = await _erase_as(foreseen, session, find, caller, reason)
        self._directory.expire()
        return list(models.values())

    async def _foresee(self, find: Find) -> Active:
        """Who would answer then, and proves that it can."""
        async with self._sessions.begin() as session:
            foreseen = await plan(session, find)
        for each in foreseen:
            if each.active != each.previous:
                await self._engines.ensure(each.active)
        return {each.target.model_id: each.active for each in foreseen}


async def _erase_as(
    foreseen: Active, session: AsyncSession, find: Find, caller: Caller, reason: str | None
) -> dict[UUID, Erasure]:
    """Erase what there is now, by model.

    Raises:
        RollbackError: If somebody would answer who has not proved that he can.
    """
    why = f"erased by {caller.key_name}" + (f": {reason}" if reason else "")
    erased = {}
    for now in await plan(session, find):
        if now.active != foreseen.get(now.target.model_id, now.previous):
            raise RollbackError("Another version answers than a moment ago. Try again.")
        to_relearn = await _carry_out(session, now, caller.key_name, why)
        erased[now.target.model_id] = Erasure(
            trace_ids=list(now.target.repeated),
            memory_ids=now.target.memory_ids,
            reread=now.reread,
            adapters=list(now.adapters.values()),
            active=_version(now.active),
            previous=_version(now.previous),
            to_relearn=to_relearn,
        )
    return erased


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
