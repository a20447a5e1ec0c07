"""Erasing a trace, and with it what was learned from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.directory import Directory
from api.engines import EnginePool
from shared.contracts.adapters import AdapterFile, Caller
from shared.contracts.erasure import Erasure
from shared.contracts.traces import Trace, content_text
from shared.errors import CycleActiveError, NotFoundError, RollbackError
from shared.storage.adapters import AdapterStore
from shared.storage.cycles import SleepCycleStore
from shared.storage.erasure import ErasureStore
from shared.storage.known import KnownStore
from shared.storage.traces import TraceStore

# Turns up to this long are held by conversations that have nothing to do with each other.
MAX_GREETING_CHARS = 16


@dataclass(frozen=True)
class Plan:
    """What goes with a trace, and who answers instead of who answers now (None: the base).

    `reread` are the other traces of the same memories, `adapters` versions by id.
    """

    model_id: UUID
    trace_id: UUID
    trace_ids: list[UUID]
    memory_ids: list[UUID]
    reread: list[UUID]
    adapters: dict[UUID, int]
    previous: AdapterFile | None
    active: AdapterFile | None


class ErasureService:
    """Erases traces.

    Args:
        directory: Must ask again once the pointer has moved.
        engines: Must prove that the version that answers instead acts, before the pointer moves.
    """

    def __init__(self, directory: Directory, engines: EnginePool) -> None:
        self._directory = directory
        self._sessions = directory.sessions
        self._engines = engines

    async def erase(self, caller: Caller, trace_id: UUID, reason: str | None) -> Erasure:
        """Erase a trace, the turns that repeat it, and what was learned from them.

        What others said too is read again by the next night, in their words. The versions that were
        trained on it never answer again. If one of them does now, the nearest version before them
        does instead, and what else they knew is learned again by the next nights: they are rebuilt
        without it. One transaction; once more, it erases what came since.

        Raises:
            NotFoundError: If the tenant has no such trace.
            CycleActiveError: If a sleep cycle may be reading it.
            RollbackError: If the pointer was moved meanwhile.
            EngineError: If the version that would answer instead cannot.
        """
        async with self._sessions.begin() as session:
            foreseen = await _plan(session, caller, trace_id)
        if foreseen.active != foreseen.previous:
            await self._engines.ensure(foreseen.active)
        why = f"erased by {caller.key_name}" + (f": {reason}" if reason else "")
        async with self._sessions.begin() as session:
            plan = await _plan(session, caller, trace_id)
            if plan.active != foreseen.active:
                raise RollbackError("Another version answers than a moment ago. Try again.")
            to_relearn = await _carry_out(session, plan, caller.key_name, why)
        self._directory.expire()
        return Erasure(
            trace_ids=plan.trace_ids,
            memory_ids=plan.memory_ids,
            reread=plan.reread,
            adapters=list(plan.adapters.values()),
            active=_version(plan.active),
            previous=_version(plan.previous),
            to_relearn=to_relearn,
        )


def repeating(trace_id: UUID, conversation: Sequence[Trace]) -> list[UUID]:
    """The trace, the same request again, and those later turns whose requests repeat one of these.

    A session that a client names may also hold turns that repeat nothing.

    Args:
        trace_id: What is to be erased.
        conversation: Its session, and what came after it, oldest first. Of what is erased already
            the words are gone: what goes on behind it is taken to repeat it.
    """
    [asked] = [trace.messages for trace in conversation if trace.id == trace_id]
    found: dict[UUID, Trace] = {}
    gone: set[UUID | None] = set()
    for trace in conversation:
        if not trace.request:
            gone.add(trace.id)
            continue
        history = [content_text(message.get("content")) for message in trace.messages[:-1]]
        goes_on = any(message.get("role") == "assistant" for message in trace.messages[:-1])
        if (
            trace.id == trace_id
            or (asked and trace.messages == asked)
            or (trace.parent_id in gone and goes_on)
            or any(_repeats(trace, history, earlier) for earlier in found.values())
        ):
            found[trace.id] = trace
    return list(found)


def _repeats(trace: Trace, history: Sequence[str], earlier: Trace) -> bool:
    """Whether a request's history holds the turn of an earlier one, which others may begin like."""
    turn = content_text((earlier.messages or [{}])[-1].get("content"))
    choices = (earlier.reply or {}).get("choices", [])
    replies = {content_text(choice.get("message", {}).get("content")) for choice in choices}
    if trace.parent_id == earlier.id:
        return not (replies | {turn}).isdisjoint({*history} - {""})
    if len(turn) > MAX_GREETING_CHARS and turn in history:
        return True
    return any(said == turn and answered in replies for said, answered in pairwise(history))


async def _plan(session: AsyncSession, caller: Caller, trace_id: UUID) -> Plan:
    """What would be erased now. Until the transaction ends no cycle of the model can begin."""
    model_id = await TraceStore(session).model_of(caller.tenant_id, trace_id)
    if model_id is None:
        raise NotFoundError(f"There is no trace {trace_id}.")
    adapters, store = AdapterStore(session), ErasureStore(session, model_id)
    # The lock that adding a cycle waits for.
    previous = await adapters.active_id(model_id)
    cycle_id = await SleepCycleStore(session).active_id(model_id)
    if cycle_id is not None:
        raise CycleActiveError(
            f"Sleep cycle {cycle_id} may be reading what is to be erased. Wait for it, or cancel "
            f"it with POST /admin/sleep-cycles/{cycle_id}/cancel, and erase again."
        )
    trace_ids = repeating(trace_id, await store.conversation(trace_id))
    memory_ids = await store.resting_on(trace_ids)
    erased = await store.trained_on(memory_ids)
    active = await adapters.servable(previous, but=erased) if previous in erased else previous
    return Plan(
        model_id=model_id,
        trace_id=trace_id,
        trace_ids=trace_ids,
        memory_ids=memory_ids,
        reread=await store.also_said_in(memory_ids, trace_ids),
        adapters=erased,
        previous=await adapters.file(previous) if previous else None,
        active=await adapters.file(active) if active else None,
    )


async def _carry_out(session: AsyncSession, plan: Plan, actor: str, why: str) -> int:
    """Erase it, in an order that the database lets pass.

    Returns:
        How many other lessons must be learned again.
    """
    store = ErasureStore(session, plan.model_id)
    before = await store.num_pending(but=plan.memory_ids)
    num_reread = await store.read_again(plan.reread, plan.memory_ids)
    await store.erase_traces({plan.trace_id, *plan.trace_ids}, why)
    await store.erase_results()
    await store.erase_memories(plan.memory_ids, {plan.trace_id, *plan.trace_ids}, why)
    if plan.active != plan.previous:
        target = plan.active.id if plan.active else None
        await AdapterStore(session).move(
            model_id=plan.model_id, to=target, kind="rollback", actor=actor, reason=why
        )
        await KnownStore(session, plan.model_id).follow(
            target, unknown_become="pending", of_states=("learned",)
        )
    await store.erase_adapters(plan.adapters)
    await store.erase_seeds(plan.memory_ids)
    waiting = await store.num_pending()
    if not (plan.adapters and (waiting or plan.reread or num_reread)):
        # Nothing is rebuilt that a gate could ask.
        await store.drop_probes(plan.memory_ids)
    return waiting - before


def _version(adapter: AdapterFile | None) -> int | Literal["base"]:
    return adapter.version if adapter else "base"
