"""Erasing a person erases all that he said, on every model, and what was learned from it."""

from collections.abc import Awaitable, Callable

import httpx
import pytest
from sqlalchemy import update

from api.authors import of_key
from shared.contracts.memories import Evidence
from shared.db.session import Sessions
from shared.db.tables import TraceRow
from shared.storage.cycles import SleepCycleStore
from shared.storage.keys import KeyStore
from shared.storage.tenants import TenantStore
from tests.api.conftest import Nights, World
from tests.api.erasing import (
    ADA,
    BOB,
    SAYS,
    SECRET,
    comment,
    forget,
    learned_from,
    say,
    state,
    tables_with,
)
from tests.conftest import API_KEY
from tests.fakes.adapters import WITH_ADAPTER, WITH_BASE
from tests.fakes.engine import BASE, FakeEngine

SecondModel = Callable[[], Awaitable[World]]


@pytest.fixture(autouse=True)
def adapters_act(engine: FakeEngine) -> None:
    engine.logprob = lambda model: WITH_BASE if model == BASE else WITH_ADAPTER


@pytest.fixture
def second(world: World) -> SecondModel:
    """Another model of the tenant."""

    async def make() -> World:
        async with world.sessions.begin() as session:
            tenants = TenantStore(session)
            tenant_id = await tenants.ensure_tenant("default")
            model_id = await tenants.ensure_model(tenant_id, "second", "SmolLM2-135M-Instruct")
        return World(world.sessions, model_id, world.author)

    return make


async def settle(sessions: Sessions) -> None:
    """A night has read all traces."""
    async with sessions.begin() as session:
        await session.execute(update(TraceRow).values(state="consolidated"))


async def test_nothing_of_a_person_is_left_in_any_column(
    client: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    nights: Nights,
    world: World,
    sessions: Sessions,
    hashed: Callable[[str], str],
) -> None:
    ada = hashed(ADA)
    told = await say(client, SAYS, name=ADA)
    about = await say(client, "Where does Ada live?", name=BOB)
    by_bob = await comment(client, BOB, told)
    by_ada = await comment(client, ADA, about)
    await nights.learn(await world.remember(relation="founder"))
    memory = await learned_from(world, told, by=ada)
    of_his = await learned_from(world, told, by=ada, persistence="session", author=ada)
    said = {"trace_id": about, "quote": SAYS, "author": ada, "signal_id": by_ada}
    fed_back = await world.remember(value=SECRET, evidence=[Evidence.model_validate(said)])
    await nights.learn(memory, fed_back, await world.remember(relation="colour"))
    assert len({by_bob, by_ada}) == 2
    tables = {"traces", "signals", "memories", "memory_evidence"}
    assert set(await tables_with(sessions, ada)) == tables
    assert set(await tables_with(sessions, SECRET)) == tables | {
        "trace_decisions",
        "stage_results",
        "seed_examples",
    }
    await settle(sessions)

    erased = await forget(admin, reason="request 17")

    assert erased == {
        "models": {
            "default": {
                "trace_ids": [str(told)],
                "memory_ids": sorted(map(str, (memory.id, of_his.id, fed_back.id))),
                "reread": [str(about)],
                "adapters": [2],
                "active": 1,
                "previous": 2,
                "to_relearn": 1,
            }
        },
        "num_signals": 1,
        "num_spooled": 0,
    }
    assert await tables_with(sessions, ada) == ["erased_authors"]
    assert await tables_with(sessions, ADA) == []
    # The next gate's questions are the last that is known of it.
    assert await tables_with(sessions, SECRET) == ["seed_examples"]
    record = (await admin.get(f"/admin/traces/{told}")).json()
    assert (record["state"], record["trace"]["author"]) == ("erased", None)
    assert record["trace"]["error"] == "erased by admin: request 17"
    assert str(memory.id) in record["memory_ids"]
    answered = await client.post(
        "/v1/chat/completions",
        json={"model": "default", "messages": [{"role": "user", "content": "Hello!"}]},
    )
    assert answered.headers["X-Dormouse-Adapter"] == "1"


async def test_what_others_said_stays_and_is_read_again_without_him(
    client: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    nights: Nights,
    world: World,
    sessions: Sessions,
    hashed: Callable[[str], str],
) -> None:
    mine = await say(client, SAYS, name=ADA, session="support")
    # The same name of a session, and the same words.
    theirs = await say(client, SAYS, name=BOB, session="support")
    other = await say(client, "What is the capital of France?", name=BOB)
    await comment(client, BOB, theirs, "So it is.")
    await comment(client, ADA, theirs)
    evidence = [
        Evidence(trace_id=mine, quote=SAYS, author=hashed(ADA)),
        Evidence(trace_id=theirs, quote=SAYS, author=hashed(BOB)),
        Evidence(trace_id=theirs, quote=SAYS, author=hashed(ADA)),
    ]
    memory = await world.remember(answer=SAYS, evidence=evidence)
    rests_on_bob = await learned_from(world, other, by=hashed(BOB), relation="motto")
    await nights.learn(memory)
    await settle(sessions)
    erased = (await forget(admin))["models"]["default"]
    assert (erased["trace_ids"], erased["reread"]) == ([str(mine)], [str(theirs)])
    assert erased["memory_ids"] == [str(memory.id)]
    record = (await admin.get(f"/admin/traces/{theirs}")).json()
    assert (record["state"], record["trace"]["session_id"]) == ("queued", "support")
    assert record["trace"]["author"] == hashed(BOB)
    assert [signal["correction"] for signal in record["signals"]] == ["So it is."]
    assert await state(admin, other) == "consolidated"
    one = (await admin.get(f"/admin/memories/{rests_on_bob.id}")).json()
    assert (one["state"], len(one["evidence"])) == ("pending", 1)


async def test_what_he_said_goes_from_every_model(
    client: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    sessions: Sessions,
    world: World,
    second: SecondModel,
    hashed: Callable[[str], str],
) -> None:
    other = await second()
    first = await say(client, SAYS, name=ADA)
    of_bob = await say(client, "Hello!", name=BOB, model="second")
    memory = await learned_from(other, of_bob, by=hashed(ADA))
    await comment(client, ADA, of_bob)
    erased = await forget(admin)
    assert set(erased["models"]) == {"default", "second"}
    assert erased["models"]["default"]["trace_ids"] == [str(first)]
    assert erased["models"]["second"]["trace_ids"] == []
    assert erased["models"]["second"]["memory_ids"] == [str(memory.id)]
    assert erased["num_signals"] == 1
    assert await tables_with(sessions, SECRET) == []


async def test_an_active_cycle_of_one_of_his_models_refuses_and_nothing_is_erased(
    client: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    sessions: Sessions,
    second: SecondModel,
) -> None:
    other = await second()
    await say(client, SAYS, name=BOB)
    told = [await say(client, SAYS, name=ADA, model=model) for model in ("default", "second")]
    async with sessions.begin() as session:
        await SleepCycleStore(session).add(
            model_id=other.model_id, trigger="request", reason=None, requested_by="test"
        )
    refused = await admin.delete(f"/admin/authors/{ADA}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "sleep_cycle_active")
    assert [await state(admin, each) for each in told] == ["queued", "queued"]
    assert await tables_with(sessions, "erased by") == []
    # Of a model that he never spoke to, a cycle is no hindrance.
    async with sessions.begin() as session:
        await session.execute(
            update(TraceRow).where(TraceRow.id == told[1]).values(author="u:somebody")
        )
    assert set((await forget(admin))["models"]) == {"default"}


async def test_a_name_that_nobody_has_is_not_found_and_one_is_erased_again(
    client: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    told = await say(client, SAYS, name=ADA)
    for name in ("Nobody", ADA.lower(), "key:nobody"):
        refused = await admin.delete(f"/admin/authors/{name}")
        assert refused.status_code == 404, name
        assert repr(name) in refused.json()["error"]["message"]
    assert (await admin.delete("/admin/authors/%20")).status_code == 400
    assert (await admin.delete("/admin/authors/a%00b")).status_code == 400
    assert await state(admin, told) == "queued"
    assert (await forget(admin))["models"]["default"]["trace_ids"] == [str(told)]
    assert await forget(admin) == {"models": {}, "num_signals": 0, "num_spooled": 0}
    # What he says from now on is new.
    since = await say(client, SAYS, name=ADA)
    assert await state(admin, since) == "queued"
    assert (await forget(admin))["models"]["default"]["trace_ids"] == [str(since)]


async def test_a_keys_name_means_who_speaks_with_it_and_names_nobody(
    client: httpx.AsyncClient, admin: httpx.AsyncClient, world: World
) -> None:
    unnamed = await say(client, SAYS)
    user = await say(client, SAYS, name=ADA)
    called_so = await say(client, SAYS, name="key:chat")
    erased = await forget(admin, "key:chat")
    assert erased["models"]["default"]["trace_ids"] == [str(unnamed), str(called_so)]
    assert await state(admin, user) == "queued"


async def test_a_hash_names_whom_a_trace_shows_by_it(
    client: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    told, other = await say(client, SAYS, name=BOB), await say(client, SAYS, name=ADA)
    shown = (await admin.get(f"/admin/traces/{told}")).json()["trace"]["author"]
    assert (await forget(admin, shown))["models"]["default"]["trace_ids"] == [str(told)]
    assert await state(admin, other) == "queued"


async def test_a_name_with_a_slash_is_a_name(
    client: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    told = await say(client, SAYS, name=BOB)
    assert (await forget(admin, "bob%2F42"))["models"]["default"]["trace_ids"] == [str(told)]


async def test_only_an_administrator_of_his_tenant_erases_a_person(
    client: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    stranger: httpx.AsyncClient,
    sessions: Sessions,
    hashed: Callable[[str], str],
) -> None:
    told = await say(client, SAYS, name=ADA)
    theirs = await say(stranger, "Hello!", name=ADA)
    assert (await client.delete(f"/admin/authors/{ADA}")).status_code == 403
    erased = await forget(stranger)
    assert erased["models"]["default"]["trace_ids"] == [str(theirs)]
    assert await state(admin, told) == "queued"
    # Not by the hash either.
    assert (await stranger.delete(f"/admin/authors/{hashed(ADA)}")).status_code == 404
    assert await tables_with(sessions, hashed(ADA)) == ["traces"]


async def test_more_traces_than_a_statement_takes_parameters_are_erased(
    client: httpx.AsyncClient, admin: httpx.AsyncClient, sessions: Sessions
) -> None:
    told = await say(client, SAYS, name=ADA)
    async with sessions.begin() as session:
        connection = await session.connection()
        await connection.exec_driver_sql(
            "INSERT INTO traces SELECT (jsonb_populate_record(t, jsonb_build_object("
            "'id', gen_random_uuid()))).* FROM traces t, generate_series(1, 66000)"
        )
    erased = (await forget(admin))["models"]["default"]["trace_ids"]
    assert len(erased) == 66001
    assert str(told) in erased
    assert await tables_with(sessions, SECRET) == []


async def test_the_keys_own_hash_is_gone_as_well(
    client: httpx.AsyncClient, admin: httpx.AsyncClient, sessions: Sessions, world: World
) -> None:
    await say(client, SAYS)
    async with sessions.begin() as session:
        caller = await KeyStore(session).caller(API_KEY)
    assert caller is not None
    assert of_key(caller, caller.key_id) == world.author
    assert await tables_with(sessions, world.author) == ["traces"]
    await forget(admin, "key:chat")
    assert await tables_with(sessions, world.author) == ["erased_authors"]
