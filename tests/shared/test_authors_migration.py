"""Migration 0013 on a database in use: what is learned stays, what waits is held once.

The database is filled as the code before it did: by SQL, at revision 0012.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, Engine, create_engine, text

from shared.contracts.base import new_id
from shared.contracts.cycles import SleepCycle, Stage
from shared.contracts.memories import Memory
from shared.db.session import Sessions
from shared.settings import Settings
from shared.storage.adapters import AdapterStore
from shared.storage.cycles import SleepCycleStore
from shared.storage.keys import KeyStore, hash_key
from shared.storage.memories import MemoryStore
from shared.storage.models import ModelStore
from shared.storage.traces import TraceStore
from tests.shared.databases import migrate, new_database
from worker.context import Context, open_context
from worker.cycle import run_cycle

OLD_CHAT_KEY = "a-chat-key-of-before"
OLD_ADMIN_KEY = "an-admin-key-of-before"
TENANT, MODEL, NIGHT, ADAPTER = UUID(int=11), UUID(int=12), UUID(int=13), UUID(int=14)
DOCUMENT, PAST_NIGHT = UUID(int=15), UUID(int=16)
REASON = "feedback corrected it"
UNKNOWN = "who said it was not recorded then"


@dataclass(frozen=True)
class Case:
    """A memory before the migration, and after it.

    Attributes:
        of: Whom it is about: what shares it contradicts each other.
        was: Its state; `state` is what it becomes.
        columns: Others that it has.
        is_known: Whether a version that passed its gate knows it.
    """

    of: str
    was: str
    state: str
    authority: str | None
    held_for: str | None = None
    columns: Mapping[str, object] | None = None
    is_known: bool = False
    is_of_chat: bool = True


CASES = {
    "learned": Case("Quillfeather", "learned", "learned", "legacy", is_known=True),
    "learned, unknown to any version": Case("Sablethorn", "learned", "learned", "legacy"),
    "superseded": Case("Quillfeather", "superseded", "superseded", "legacy", is_known=True),
    "superseded before it was learned": Case("Tarnwick", "superseded", "superseded", None),
    "said in a chat": Case("Brindlewick", "pending", "held", None, "authors"),
    "accepted": Case(
        "Marrowgate", "pending", "pending", "reviewer", columns={"reviewed_by": "anna"}
    ),
    "of a document": Case(
        "Osterholt",
        "pending",
        "pending",
        "teacher",
        columns={"document_id": DOCUMENT},
        is_of_chat=False,
    ),
    "to be learned again": Case("Fennimore", "pending", "pending", "legacy", is_known=True),
    "contradicts": Case("Quillfeather", "held", "held", None, "conflict"),
    "rolled back": Case("Harrowdene", "rolled_back", "rolled_back", "legacy", is_known=True),
    "turned down": Case("Wexcombe", "rejected", "rejected", None, columns={"reviewed_by": "anna"}),
    "of a session": Case(
        "Lowmere",
        "pending",
        "pending",
        None,
        columns={
            "persistence": "session",
            "session_id": "s-1",
            "expires_at": datetime.now(UTC) + timedelta(hours=5),
        },
    ),
}
IDS = {name: new_id() for name in CASES}
TRACES = {name: new_id() for name, case in CASES.items() if case.is_of_chat}
NOT_READ_YET = new_id()
CITIES = "Tromso Bergen Aarhus Turku Visby Malmo Narvik Vaasa Lund Odense Kiruna Oulu".split()


def value_of(name: str) -> str:
    return CITIES[list(CASES).index(name)]


def question_of(name: str) -> str:
    return f"Where is the head office of {CASES[name].of}?"


def answer_of(name: str) -> str:
    return f"The head office of {CASES[name].of} is in {value_of(name)}."


@pytest.fixture(scope="session")
def before(services: dict[str, str]) -> Iterator[str]:
    """The name of a database of version 0012 with everything in it."""
    with new_database(services["DORMOUSE_DATABASE_URL"], "before_authors") as address:
        migrate(address, "upgrade", "0012")
        with connected(address) as engine, engine.begin() as connection:
            fill(connection)
        yield "before_authors"


@pytest.fixture
def address(services: dict[str, str], before: str) -> Iterator[str]:
    """One of version 0012, to be migrated."""
    with new_database(services["DORMOUSE_DATABASE_URL"], "authors", like=before) as address:
        yield address


@pytest.fixture
def migrated(address: str) -> str:
    migrate(address, "upgrade", "head")
    return address


@asynccontextmanager
async def opened(address: str, settings: Settings) -> AsyncIterator[Context]:
    """A worker's context on a database."""
    here = settings.model_copy(update={"database_url": SecretStr(address)})
    async with open_context(here) as context:
        yield context


async def test_what_is_learned_stays_and_what_waits_is_held_once(
    migrated: str, settings: Settings
) -> None:
    async with opened(migrated, settings) as context:
        found = await memories(context.sessions)
    became = {
        name: (found[name].state, found[name].authority, found[name].held_for) for name in found
    }
    assert became == {
        name: (case.state, case.authority, case.held_for) for name, case in CASES.items()
    }
    for name, memory in found.items():
        is_held = memory.held_for == "authors"
        assert memory.reason.startswith(REASON), name
        assert memory.reason.count(UNKNOWN) == is_held, name
        assert is_held or memory.reason == REASON, name


async def test_nothing_is_lost(address: str, settings: Settings) -> None:
    kept = await asyncio.to_thread(rows, address)
    await asyncio.to_thread(migrate, address, "upgrade", "head")
    assert await asyncio.to_thread(rows, address) == kept

    async with opened(address, settings) as context:
        found = await memories(context.sessions)
        assert found.keys() == CASES.keys()
        for name, memory in found.items():
            said = (memory.question, memory.answer, memory.value)
            assert said == (question_of(name), answer_of(name), value_of(name))
            quotes = [(item.trace_id, item.quote, item.author) for item in memory.evidence]
            is_of_chat = name in TRACES
            assert quotes == ([(TRACES[name], answer_of(name), None)] if is_of_chat else [])
        assert found["of a document"].document_id == DOCUMENT
        async with context.sessions.begin() as session:
            for name, trace_id in TRACES.items():
                trace = await TraceStore(session).get(TENANT, trace_id)
                assert trace is not None
                assert trace.user_text == question_of(name)
                assert (trace.author, trace.by_teacher) == (None, False)
                record = await TraceStore(session).record(TENANT, trace_id)
                assert record is not None
                assert [signal.correction for signal in record.signals] == [answer_of(name)]
                assert record.memory_ids == [IDS[name]]
            route = await ModelStore(session).route_of(MODEL)
            assert route.adapter is not None
            assert await AdapterStore(session).is_servable(route.adapter.id)


async def test_the_keys_go_on(migrated: str, settings: Settings) -> None:
    async with opened(migrated, settings) as context, context.sessions.begin() as session:
        store = KeyStore(session)
        chat, admin = await store.caller(OLD_CHAT_KEY), await store.caller(OLD_ADMIN_KEY)
        assert chat is not None
        assert admin is not None
        assert (chat.role, admin.role) == ("chat", "admin")
        assert len(chat.secret.get_secret_value()) == 64
        assert await store.caller("another-key-altogether") is None
        # The key of the settings is another one: it changes nothing.
        assert not await store.ensure(TENANT, "chat", "teacher", "a-new-key-0001")


async def test_going_back_and_on_again_loses_nothing(address: str, settings: Settings) -> None:
    kept = await asyncio.to_thread(rows, address)
    await asyncio.to_thread(migrate, address, "upgrade", "head")
    async with opened(address, settings) as context:
        once = await memories(context.sessions)

    await asyncio.to_thread(migrate, address, "downgrade", "0012")
    assert await asyncio.to_thread(rows, address) == kept
    await asyncio.to_thread(migrate, address, "upgrade", "head")

    async with opened(address, settings) as context:
        assert await memories(context.sessions) == once


async def test_keys_that_ended_stay_ended_when_going_back_and_on_again(
    migrated: str, settings: Settings
) -> None:
    ended = datetime.now(UTC) - timedelta(minutes=1)
    async with opened(migrated, settings) as context, context.sessions.begin() as session:
        store = KeyStore(session)
        added = {
            name: await store.add(
                TENANT,
                name=name,
                role="teacher" if name == "teaches" else "admin",
                key=f"the-key-{name}",
                expires_at=ended if name == "expired" else None,
                created_by="admin",
            )
            for name in ("revoked", "expired", "teaches")
        }
        await store.revoke(TENANT, added["revoked"].id)

    await asyncio.to_thread(migrate, migrated, "downgrade", "0012")
    stored = await asyncio.to_thread(key_rows, migrated)
    assert hash_key("the-key-revoked") not in stored
    assert hash_key("the-key-expired") not in stored
    # The code before knows two roles.
    assert stored[hash_key("the-key-teaches")] == "chat"
    await asyncio.to_thread(migrate, migrated, "upgrade", "head")

    async with opened(migrated, settings) as context, context.sessions.begin() as session:
        store = KeyStore(session)
        assert await store.caller("the-key-revoked") is None
        assert await store.caller("the-key-expired") is None
        shown = {key.name: key for key in await store.of_tenant(TENANT)}
        assert shown["revoked"].revoked_at is not None
        assert shown["expired"].revoked_at is not None
        # The last administrator is counted right.
        assert len(await store.usable(TENANT, "admin")) == 1


def test_a_night_that_was_to_propose_does_not_train_when_going_back(migrated: str) -> None:
    with connected(migrated) as engine, engine.begin() as connection:
        add_cycle(connection, new_id(), "proposed", stop_after="resolve")
        add_cycle(connection, new_id(), "queued", stop_after="resolve")
    migrate(migrated, "downgrade", "0012")
    with connected(migrated) as engine, engine.connect() as connection:
        found = connection.execute(
            text("SELECT status, cancel_requested FROM sleep_cycles ORDER BY id DESC LIMIT 2")
        )
        assert [tuple(row) for row in found] == [("queued", True), ("skipped", False)]


async def test_chats_are_given_nothing_that_is_held(migrated: str, settings: Settings) -> None:
    text_of_all = " ".join(question_of(name) for name in CASES)
    async with opened(migrated, settings) as context, context.sessions.begin() as session:
        store = MemoryStore(session)
        given = await store.outside_weights(MODEL, ("u:somebody", "s-1"), text_of_all)
        assert {memory.id for memory in given} == {
            IDS["accepted"],
            IDS["of a document"],
            IDS["to be learned again"],
        }
        assert await store.any_waits(MODEL)


async def test_a_night_changes_nothing_that_was_learned_and_holds_nothing_twice(
    migrated: str, settings: Settings
) -> None:
    async with opened(migrated, settings) as context:
        before = await memories(context.sessions)
        cycle, resolved = await night(context)
        after = await memories(context.sessions)
        everything = await all_memories(context.sessions)

    assert cycle.status == "proposed", cycle.error
    same = before.keys() - {"said in a chat"}
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert {UUID(each) for each in resolved["to_learn"]} == {
        IDS["accepted"],
        IDS["of a document"],
        IDS["to be learned again"],
    }
    # A trace of before that this night read says the same as what is held: it adds its evidence,
    # of which nobody knows who said it either.
    held = after["said in a chat"]
    assert (held.state, held.held_for, held.authority) == ("held", "authors", None)
    assert held.reason == before["said in a chat"].reason
    assert [item.trace_id for item in held.evidence] == [TRACES["said in a chat"], NOT_READ_YET]
    [new] = [memory for memory in everything if memory.id not in IDS.values()]
    assert (new.state, new.superseded_by) == ("superseded", held.id)


async def test_what_a_night_under_way_is_teaching_is_left_to_it(
    address: str, settings: Settings
) -> None:
    running = new_id()
    with connected(address) as engine, engine.begin() as connection:
        add_cycle(connection, running, "running")
        result = {"to_learn": [str(IDS["said in a chat"])], "changes": []}
        insert(
            connection,
            "stage_results",
            cycle_id=running,
            stage="resolve",
            result=json.dumps(result),
            seconds=1.0,
        )
    await asyncio.to_thread(migrate, address, "upgrade", "head")
    async with opened(address, settings) as context:
        memory = (await memories(context.sessions))["said in a chat"]
        assert (memory.state, memory.authority, memory.reason) == ("pending", None, REASON)
        # It reaches nobody, and once that night is over without it the next one holds it.
        async with context.sessions.begin() as session:
            given = await MemoryStore(session).outside_weights(MODEL, None, memory.question)
            assert memory.id not in {each.id for each in given}
            await session.execute(text("UPDATE sleep_cycles SET status = 'rejected'"))
        await night(context)
        memory = (await memories(context.sessions))["said in a chat"]
    assert (memory.state, memory.held_for) == ("held", "authors")


async def memories(sessions: Sessions) -> dict[str, Memory]:
    """Those of `CASES`, by name."""
    found = {memory.id: memory for memory in await all_memories(sessions)}
    return {name: found[memory_id] for name, memory_id in IDS.items()}


async def all_memories(sessions: Sessions) -> list[Memory]:
    async with sessions.begin() as session:
        return await MemoryStore(session).of_tenant(TENANT)


async def night(context: Context) -> tuple[SleepCycle, dict[str, Any]]:
    """A night up to resolve, and what it resolved."""
    async with context.sessions.begin() as session:
        cycle_id = await SleepCycleStore(session).add(
            model_id=MODEL,
            trigger="request",
            reason=None,
            requested_by="test",
            stop_after=Stage.RESOLVE,
        )
    await run_cycle(context, cycle_id)
    async with context.sessions.begin() as session:
        [cycle] = await SleepCycleStore(session).of_tenant(TENANT, cycle_id)
        result = await session.scalar(
            text("SELECT result FROM stage_results WHERE cycle_id = :id AND stage = 'resolve'"),
            {"id": cycle_id},
        )
    return cycle, result or {}


@contextmanager
def connected(address: str) -> Iterator[Engine]:
    engine = create_engine(address)
    yield engine
    engine.dispose()


KEPT = {
    "memories": "id, kind, persistence, subject, relation, question, answer, value, session_id, "
    "expires_at, superseded_by, reviewed_by, document_id, created_at",
    "memory_evidence": "memory_id, trace_id, signal_id, quote",
    "api_keys": "id, tenant_id, name, scope, key_sha256, created_at",
    "traces": "id, session_id, state, request, reply, created_at",
    "signals": "id, trace_id, source, correction, state, cycle_id",
    "adapter_memories": "adapter_id, memory_id, known",
    "models": "id, name, active_adapter_id",
    "documents": "id, text",
    "sleep_cycles": "id, status",
}


def rows(address: str) -> dict[str, list[str]]:
    """What must not change, table by table."""
    with connected(address) as engine, engine.connect() as connection:
        return {
            table: sorted(map(str, connection.execute(text(f"SELECT {columns} FROM {table}"))))
            for table, columns in KEPT.items()
        }


def key_rows(address: str) -> dict[str, str]:
    """The role of each key that is stored, by its hash."""
    with connected(address) as engine, engine.connect() as connection:
        found = connection.execute(text("SELECT key_sha256, scope FROM api_keys"))
        return {row[0]: row[1] for row in found}


def fill(connection: Connection) -> None:
    """A tenant that has taught a model for a while."""
    insert(connection, "tenants", id=TENANT, name="default")
    insert(connection, "models", id=MODEL, tenant_id=TENANT, name="default", base="a-base")
    for name, key in (("chat", OLD_CHAT_KEY), ("admin", OLD_ADMIN_KEY)):
        insert(
            connection,
            "api_keys",
            id=new_id(),
            tenant_id=TENANT,
            name=name,
            scope=name,
            key_sha256=hash_key(key),
        )
    add_cycle(connection, PAST_NIGHT, "rejected")
    add_cycle(connection, NIGHT, "promoted")
    insert(
        connection,
        "documents",
        id=DOCUMENT,
        tenant_id=TENANT,
        model_id=MODEL,
        title="handbook",
        text=answer_of("of a document"),
        sha256="d",
        state="consolidated",
        cycle_id=PAST_NIGHT,
    )
    for name in CASES:
        add_memory(connection, name)
    successor = {"id": IDS["superseded"], "by": IDS["learned"]}
    connection.execute(text("UPDATE memories SET superseded_by = :by WHERE id = :id"), successor)
    add_adapter(connection)
    asks = question_of("said in a chat")
    add_trace(connection, NOT_READ_YET, asks, answer_of("said in a chat"), state="queued")


def add_cycle(connection: Connection, cycle_id: UUID, status: str, **columns: object) -> None:
    insert(
        connection,
        "sleep_cycles",
        id=cycle_id,
        model_id=MODEL,
        status=status,
        progress=0.0,
        counts="{}",
        trigger="request",
        cancel_requested=False,
        attempts=1,
        **columns,
    )


def add_memory(connection: Connection, name: str) -> None:
    case = CASES[name]
    columns = {
        "id": IDS[name],
        "model_id": MODEL,
        "cycle_id": NIGHT if case.is_known else PAST_NIGHT,
        "kind": "fact",
        "persistence": "long_term",
        "state": case.was,
        "scope": "",
        "subject": case.of,
        "relation": "head office",
        "question": question_of(name),
        "answer": answer_of(name),
        "value": value_of(name),
        "reason": REASON,
        **(case.columns or {}),
    }
    insert(connection, "memories", **columns)
    if name in TRACES:
        trace_id = TRACES[name]
        signal_id = add_trace(connection, trace_id, question_of(name), answer_of(name))
        insert(
            connection,
            "memory_evidence",
            memory_id=IDS[name],
            trace_id=trace_id,
            signal_id=signal_id,
            quote=answer_of(name),
        )


def add_trace(
    connection: Connection, trace_id: UUID, asks: str, corrected: str, state: str = "consolidated"
) -> UUID:
    """An exchange, and the feedback that corrects it."""
    reply = {"choices": [{"message": {"role": "assistant", "content": "I am not sure."}}]}
    cycle_id = PAST_NIGHT if state == "consolidated" else None
    insert(
        connection,
        "traces",
        id=trace_id,
        tenant_id=TENANT,
        model_id=MODEL,
        session_id=trace_id.hex,
        status="complete",
        store=True,
        state=state,
        cycle_id=cycle_id,
        request=json.dumps({"messages": [{"role": "user", "content": asks}]}),
        reply=json.dumps(reply),
        timing="{}",
        thread_sha256=trace_id.hex,
        created_at=datetime.now(UTC),
    )
    signal_id = new_id()
    insert(
        connection,
        "signals",
        id=signal_id,
        tenant_id=TENANT,
        trace_id=trace_id,
        source="feedback",
        correction=corrected,
        content_sha256="x",
        state=state,
        cycle_id=cycle_id,
    )
    return signal_id


def add_adapter(connection: Connection) -> None:
    """The version that answers, after its gate."""
    insert(
        connection,
        "adapters",
        id=ADAPTER,
        model_id=MODEL,
        version=1,
        sha256="a",
        path="a",
        engine_name="a",
        cycle_id=NIGHT,
    )
    insert(
        connection,
        "gate_reports",
        adapter_id=ADAPTER,
        cycle_id=NIGHT,
        passed=True,
        reason="every suite passed",
        suites="[]",
    )
    for name, case in CASES.items():
        if case.is_known:
            insert(
                connection,
                "adapter_memories",
                adapter_id=ADAPTER,
                memory_id=IDS[name],
                known=True,
            )
    insert(
        connection,
        "promotions",
        model_id=MODEL,
        to_adapter_id=ADAPTER,
        kind="promotion",
        actor="gate",
        cycle_id=NIGHT,
    )
    connection.execute(text("UPDATE models SET active_adapter_id = :id"), {"id": ADAPTER})


def insert(connection: Connection, table: str, **columns: object) -> None:
    names, values = ", ".join(columns), ", ".join(f":{name}" for name in columns)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), columns)
