"""What goes with a trace, a document or a person, and who answers then."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.erasure.repeats import repeating
from shared.contracts.adapters import AdapterFile
from shared.contracts.keys import Caller
from shared.errors import CycleActiveError, NotFoundError
from shared.storage.adapters import AdapterStore
from shared.storage.authors import AuthorStore
from shared.storage.cycles import SleepCycleStore
from shared.storage.documents import DocumentStore
from shared.storage.erasure import ErasureStore
from shared.storage.traces import TraceStore


@dataclass(frozen=True)
class Target:
    """What is to be erased of one model.

    `trace_ids` go, those too whose words are gone already and that are not in `repeated`.
    """

    model_id: UUID
    memory_ids: list[UUID]
    trace_ids: frozenset[UUID] = frozenset()
    repeated: tuple[UUID, ...] = ()
    document_id: UUID | None = None


@dataclass(frozen=True)
class Plan:
    """What goes with it, and who answers instead of who answers now (None: the base).

    `reread` are the other traces of the same memories, `adapters` versions by id.
    """

    target: Target
    reread: list[UUID]
    adapters: dict[UUID, int]
    previous: AdapterFile | None
    active: AdapterFile | None


# Locks the models: until the transaction ends no cycle of them can begin. Raises NotFoundError if
# the tenant has no such thing, CycleActiveError if a sleep cycle may be reading it.
Find = Callable[[AsyncSession], Awaitable[list[Target]]]


def trace_target(caller: Caller, trace_id: UUID) -> Find:
    """A trace with the turns that repeat it."""

    async def find(session: AsyncSession) -> list[Target]:
        of_trace = await TraceStore(session).model_of(caller.tenant_id, trace_id)
        model_id = await _locked(session, of_trace, f"trace {trace_id}")
        store = ErasureStore(session, model_id)
        repeated = repeating(trace_id, await store.conversation(trace_id))
        target = Target(
            model_id=model_id,
            memory_ids=await store.resting_on(repeated),
            trace_ids=frozenset((trace_id, *repeated)),
            repeated=tuple(repeated),
        )
        return [target]

    return find


def document_target(caller: Caller, document_id: UUID) -> Find:
    """A document."""

    async def find(session: AsyncSession) -> list[Target]:
        of_document = await DocumentStore(session).model_of(caller.tenant_id, document_id)
        model_id = await _locked(session, of_document, f"document {document_id}")
        memory_ids = await ErasureStore(session, model_id).studied_in(document_id)
        return [Target(model_id=model_id, memory_ids=memory_ids, document_id=document_id)]

    return find


def author_target(caller: Caller, authors: Sequence[str]) -> Find:
    """All that a person said, on every model; nothing if nobody said anything."""

    async def find(session: AsyncSession) -> list[Target]:
        store = AuthorStore(session, caller.tenant_id, authors)
        targets = []
        # In one order: two who erase must not wait for each other.
        for model_id in await store.model_ids():
            await _lock(session, model_id)
            said, empty = await store.traces(model_id)
            target = Target(
                model_id=model_id,
                memory_ids=await store.memory_ids(model_id),
                trace_ids=frozenset((*said, *empty)),
                repeated=tuple(said),
            )
            targets.append(target)
        return targets

    return find


async def plan(session: AsyncSession, find: Find) -> list[Plan]:
    """What would be erased now, of each model."""
    return [await _plan(session, target) for target in await find(session)]


async def _plan(session: AsyncSession, target: Target) -> Plan:
    adapters, store = AdapterStore(session), ErasureStore(session, target.model_id)
    previous = await adapters.active_id(target.model_id)
    erased = await store.trained_on(target.memory_ids)
    active = await adapters.servable(previous, but=erased) if previous in erased else previous
    return Plan(
        target=target,
        reread=await store.also_said_in(target.memory_ids, target.trace_ids),
        adapters=erased,
        previous=await adapters.file(previous) if previous else None,
        active=await adapters.file(active) if active else None,
    )


async def _locked(session: AsyncSession, model_id: UUID | None, what: str) -> UUID:
    if model_id is None:
        raise NotFoundError(f"There is no {what}.")
    await _lock(session, model_id)
    return model_id


async def _lock(session: AsyncSession, model_id: UUID) -> None:
    # What adding a cycle waits for.
    await AdapterStore(session).active_id(model_id)
    cycle_id = await SleepCycleStore(session).active_id(model_id)
    if cycle_id is not None:
        raise CycleActiveError(
            f"Sleep cycle {cycle_id} may be reading what is to be erased. Wait for it, or cancel "
            f"it with POST /admin/sleep-cycles/{cycle_id}/cancel, and erase again."
        )
