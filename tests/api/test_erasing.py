"""Erasing a trace erases what was learned from it."""

from pathlib import Path

import httpx
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from api.engines import EnginePool
from shared.contracts.adapters import AdapterFile
from shared.contracts.base import new_id
from shared.contracts.memories import (
    SeedExample,
)
from shared.db.session import Sessions
from shared.db.tables import (
    AdapterRow,
    DocumentRow,
    MemoryRow,
    ModelRow,
    SeedExampleRow,
    TraceRow,
)
from shared.settings import Settings
from shared.storage.examples import ExampleStore
from shared.storage.known import KnownStore
from shared.storage.memories import MemoryStore
from tests.api.conftest import Nights, World
from tests.api.erasing import SAYS, SECRET, erase, learned_from, replied, say, tables_with
from tests.fakes.adapters import WITH_ADAPTER, WITH_BASE, add_adapter
from tests.fakes.engine import BASE, FakeEngine


@pytest.fixture(autouse=True)
def adapters_act(engine: FakeEngine) -> None:
    engine.logprob = lambda model: WITH_BASE if model == BASE else WITH_ADAPTER


async def test_what_was_learned_from_a_trace_goes_with_it_and_the_rest_is_learned_again(
    client: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    nights: Nights,
    world: World,
    sessions: Sessions,
) -> None:
    told = await say(client, SAYS)
    later = await say(client, SAYS, await replied(admin, told), "Thank you!")
    feedback = {"trace_id": str(told), "comment": f"it is in {SECRET}"}
    assert (await client.post("/v1/feedback", json=feedback)).status_code == 201
    await nights.learn(await world.remember(relation="founder"))
    memory = await learned_from(world, told)
    await nights.learn(memory, await world.remember(relation="colour"))
    await nights.learn(await world.remember(relation="motto"))
    assert set(await tables_with(sessions, SECRET)) == {
        "traces",
        "signals",
        "trace_decisions",
        "memories",
        "memory_evidence",
        "stage_results",
        "seed_examples",
    }

    erased = await erase(admin, told)

    assert erased == {
        "trace_ids": [str(told), str(later)],
        "memory_ids": [str(memory.id)],
        "reread": [],
        "adapters": [2, 3],
        "active": 1,
        "previous": 3,
        "to_relearn": 2,
    }
    assert await nights.states() == ["learned", "erased", "pending", "pending"]
    answered = await client.post(
        "/v1/chat/completions",
        json={"model": "default", "messages": [{"role": "user", "content": "Hello!"}]},
    )
    assert answered.headers["X-Dormouse-Adapter"] == "1"
    adapters = (await admin.get("/admin/adapters")).json()["data"]
    assert [adapter["state"] for adapter in adapters] == ["erased", "erased", "active"]
    # The next gate's questions are the last that is known of it.
    assert await tables_with(sessions, SECRET) == ["seed_examples"]


async def test_what_is_erased_is_still_named_from_trace_to_memory_to_version(
    client: httpx.AsyncClient, admin: httpx.AsyncClient, nights: Nights, world: World
) -> None:
    told = await say(client, SAYS)
    memory = await learned_from(world, told)
    await nights.learn(memory)
    await erase(admin, told)
    record = (await admin.get(f"/admin/traces/{told}")).json()
    assert record["state"] == "erased"
    assert record["trace"]["error"] == "erased by admin: request 17"
    assert record["memory_ids"] == [str(memory.id)]
    one = (await admin.get(f"/admin/memories/{memory.id}")).json()
    assert (one["state"], one["reason"]) == ("erased", "erased by admin: request 17")
    assert one["evidence"][0]["trace_id"] == str(told)
    assert (await admin.get("/admin/adapters/1")).json()["memories"] == [str(memory.id)]


async def test_an_erased_version_answers_nobody_any_more(
    client: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    nights: Nights,
    world: World,
    sessions: Sessions,
) -> None:
    told = await say(client, SAYS)
    await nights.learn(await learned_from(world, told))
    await erase(admin, told)
    refused = await admin.post("/admin/rollback", json={"to": 1})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "rollback_impossible")
    pinned = await admin.post(
        "/v1/chat/completions",
        json={"model": "default", "messages": [{"role": "user", "content": "Hello!"}]},
        headers={"X-Dormouse-Adapter": "1"},
    )
    assert pinned.status_code == 403
    for statement in (
        update(ModelRow).values(active_adapter_id=select(AdapterRow.id).scalar_subquery()),
        update(AdapterRow).values(erased_at=None),
    ):
        with pytest.raises(IntegrityError):
            async with sessions.begin() as session:
                await session.execute(statement)


async def test_a_version_that_answers_cannot_be_erased_under_its_users(
    nights: Nights, world: World, sessions: Sessions
) -> None:
    await nights.learn(await world.remember())
    with pytest.raises(IntegrityError):
        async with sessions.begin() as session:
            await session.execute(update(AdapterRow).values(erased_at=text("now()")))


async def test_a_version_that_is_erased_while_somebody_rolls_back_to_it_is_refused(
    admin: httpx.AsyncClient,
    nights: Nights,
    world: World,
    sessions: Sessions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await nights.learn(await world.remember())
    await nights.go("base")
    ensure = EnginePool.ensure

    async def is_erased_meanwhile(pool: EnginePool, adapter: AdapterFile | None) -> None:
        await ensure(pool, adapter)
        async with sessions.begin() as session:
            await session.execute(update(AdapterRow).values(erased_at=text("now()")))

    monkeypatch.setattr(EnginePool, "ensure", is_erased_meanwhile)
    refused = await admin.post("/admin/rollback", json={"to": 1})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "rollback_impossible")


async def test_a_gate_asks_although_somebody_rolled_back_before(
    client: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    nights: Nights,
    world: World,
    sessions: Sessions,
) -> None:
    told = await say(client, SAYS)
    await nights.learn(await learned_from(world, told), await world.remember(relation="motto"))
    await nights.go("base", relearn=True)
    erased = await erase(admin, told)
    assert (erased["adapters"], erased["active"], erased["to_relearn"]) == ([1], "base", 0)
    assert await tables_with(sessions, SECRET) == ["seed_examples"]


async def test_going_back_passes_over_erased_versions(
    client: httpx.AsyncClient, admin: httpx.AsyncClient, nights: Nights, world: World
) -> None:
    told = await say(client, SAYS)
    await nights.learn(await world.remember(relation="founder"))
    await nights.learn(await learned_from(world, told))
    await nights.go(1)
    # It goes back to the base first, where version 3 begins.
    await nights.go("base")
    await nights.learn(await world.remember(relation="motto"))
    assert (await erase(admin, told))["active"] == 3
    assert (await nights.go_back())["active"] == "base"


async def test_what_others_said_too_is_read_again_in_their_words(
    client: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    nights: Nights,
    world: World,
    sessions: Sessions,
) -> None:
    mine, theirs = await say(client, SAYS), await say(client, f"Ada? {SECRET}.", session="bob")
    memory = await learned_from(world, mine, theirs)
    await nights.learn(memory)
    async with sessions.begin() as session:
        await session.execute(update(TraceRow).values(state="consolidated"))
    erased = await erase(admin, mine)
    assert (erased["memory_ids"], erased["active"]) == ([str(memory.id)], "base")
    assert erased["reread"] == [str(theirs)]
    record = (await admin.get(f"/admin/traces/{theirs}")).json()
    assert (record["state"], record["decisions"], record["memory_ids"]) == ("queued", [], [])
    # The version is built again, so its gate will ask.
    assert await tables_with(sessions, SECRET) == ["traces", "seed_examples"]


async def test_what_a_trace_said_last_is_erased_with_what_it_said_first(
    client: httpx.AsyncClient, admin: httpx.AsyncClient, nights: Nights, world: World
) -> None:
    told = await say(client, SAYS)
    first, last = await learned_from(world, told), await learned_from(world, told, value="Ghent")
    await nights.learn(first)
    await nights.learn(last, instead_of=first)
    erased = await erase(admin, told)
    assert erased["memory_ids"] == [str(first.id), str(last.id)]
    assert (erased["adapters"], erased["active"]) == ([1, 2], "base")


async def test_a_version_that_began_with_one_that_knows_it_goes_although_it_was_not_taught_it(
    client: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    nights: Nights,
    world: World,
    sessions: Sessions,
    settings: Settings,
    tmp_path: Path,
) -> None:
    told = await say(client, SAYS)
    await nights.learn(await learned_from(world, told))
    await add_adapter(sessions, settings, tmp_path)
    assert (await erase(admin, told))["adapters"] == [1, 2]


@pytest.mark.parametrize("state", ["rejected", "rolled_back", "superseded"])
async def test_what_a_person_or_a_later_lesson_decided_is_not_read_again(
    client: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    world: World,
    sessions: Sessions,
    state: str,
) -> None:
    mine, theirs = await say(client, SAYS), await say(client, "So it is.", session="bob")
    await learned_from(world, mine, theirs, state=state)
    async with sessions.begin() as session:
        await session.execute(update(TraceRow).values(state="consolidated"))
    assert (await erase(admin, mine))["reread"] == []
    assert (await admin.get(f"/admin/traces/{theirs}")).json()["state"] == "consolidated"


async def test_a_document_that_says_the_same_is_studied_again(
    client: httpx.AsyncClient, admin: httpx.AsyncClient, nights: Nights, world: World
) -> None:
    told = await say(client, SAYS)
    given = {"title": "Handbook", "text": "Ada has a house."}
    document = (await admin.post("/admin/documents", json=given)).json()
    async with world.sessions.begin() as session:
        await session.execute(update(DocumentRow).values(state="studied"))
    await nights.learn(await learned_from(world, told, document_id=document["id"]))
    await erase(admin, told)
    assert (await admin.get(f"/admin/documents/{document['id']}")).json()["state"] == "queued"
    # The version is built again, so its gate will ask.
    assert await tables_with(world.sessions, SECRET) == ["seed_examples"]


@pytest.mark.parametrize("first", [True, False])
async def test_a_correction_is_erased_with_either_of_its_turns(
    client: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    nights: Nights,
    world: World,
    sessions: Sessions,
    first: bool,
) -> None:
    asked = await say(client, "Is Ada at home?")
    # This client sends no history.
    corrects = await say(client, f"No, in {SECRET}.")
    # Triage quotes the turn that corrects of both.
    memory = await learned_from(world, asked, corrects, quote=f"No, in {SECRET}.")
    await nights.learn(memory)
    erased = await erase(admin, asked if first else corrects)
    assert erased["trace_ids"] == [str(asked if first else corrects)]
    assert erased["memory_ids"] == [str(memory.id)]
    assert erased["reread"] == [str(corrects if first else asked)]
    found = await tables_with(sessions, SECRET)
    assert found == (["traces", "seed_examples"] if first else ["seed_examples"])


@pytest.mark.parametrize("was_learned", [True, False])
async def test_what_gave_way_to_it_holds_again(
    client: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    nights: Nights,
    world: World,
    sessions: Sessions,
    was_learned: bool,
) -> None:
    told = await say(client, SAYS)
    old = await world.remember(answer="It is in Tromso.")
    memory = await learned_from(world, told)
    if was_learned:
        await nights.learn(old)
        await nights.learn(memory, instead_of=old)
    else:
        gave_way = {"state": "superseded", "superseded_by": memory.id, "reason": SECRET}
        async with sessions.begin() as session:
            await session.execute(
                update(MemoryRow).where(MemoryRow.id == old.id).values(**gave_way)
            )
    await erase(admin, told)
    one = (await admin.get(f"/admin/memories/{old.id}")).json()
    assert one["state"] == ("learned" if was_learned else "pending")
    assert one["superseded_by"] is None
    # Learned, it needs no night.
    assert await tables_with(sessions, SECRET) == []


async def test_what_a_person_took_back_is_not_learned_again(
    client: httpx.AsyncClient, admin: httpx.AsyncClient, nights: Nights, world: World
) -> None:
    told = await say(client, SAYS)
    await nights.learn(await learned_from(world, told))
    await nights.learn(await world.remember(relation="prank"))
    await nights.go(1)
    assert (await erase(admin, told))["to_relearn"] == 0
    assert await nights.states() == ["erased", "rolled_back"]


async def test_nothing_waits_for_a_gate_where_nothing_is_rebuilt(
    client: httpx.AsyncClient, admin: httpx.AsyncClient, world: World, sessions: Sessions
) -> None:
    told = await say(client, SAYS)
    await learned_from(world, told)
    erased = await erase(admin, told)
    assert (erased["adapters"], erased["active"], erased["to_relearn"]) == ([], "base", 0)
    assert await tables_with(sessions, SECRET) == []
    async with sessions.begin() as session:
        assert (await session.scalars(select(SeedExampleRow))).all() == []


async def test_examples_that_may_hold_its_words_go_and_their_lessons_are_learned_again(
    client: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    nights: Nights,
    world: World,
    sessions: Sessions,
) -> None:
    told = await say(client, SAYS)
    memory = await learned_from(world, told)
    await nights.learn(memory)
    # A later night that trained nothing: the base knew its lesson.
    known = await world.remember(relation="motto", cycle_status="skipped")
    messages = [{"role": "user", "content": f"{SECRET}: its motto?"}, {"role": "assistant"}]
    seed = {"split": "train", "form": "question", "messages": messages, "accept": ["On"]}
    async with sessions.begin() as session:
        examples = [SeedExample.model_validate({"id": new_id(), "memory_id": known.id, **seed})]
        await ExampleStore(session).replace_seeds(known.cycle_id, examples)
        await MemoryStore(session).set_state([known.id], "learned")
        await KnownStore(session, world.model_id).write((await nights.newest()).id)
    await erase(admin, told)
    assert await nights.states() == ["erased", "pending"]
    async with sessions.begin() as session:
        left = list(await session.scalars(select(SeedExampleRow)))
    assert {row.memory_id for row in left} == {memory.id}


async def test_examples_that_a_version_that_stays_was_trained_on_stay(
    client: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    nights: Nights,
    world: World,
    sessions: Sessions,
) -> None:
    told = await say(client, SAYS)
    await nights.learn(await learned_from(world, told))
    await nights.go("base")
    clean = await learned_from(world, relation="motto")
    await nights.learn(clean, cycle_id=clean.cycle_id)
    assert (await erase(admin, told))["active"] == 2
    assert await nights.states() == ["erased", "learned"]
    async with sessions.begin() as session:
        left = list(await session.scalars(select(SeedExampleRow)))
    assert [row.memory_id for row in left] == [clean.id, clean.id]


async def test_words_of_it_in_what_was_compared_with_it_go_too(
    client: httpx.AsyncClient, admin: httpx.AsyncClient, world: World, sessions: Sessions
) -> None:
    told = await say(client, SAYS)
    memory = await learned_from(world, told)
    value = f"Ada lives in {SECRET}."
    held = await world.remember(
        state="held", reason=f"contradicts memory {memory.id} ({value!r}), for which more speaks"
    )
    last = await world.remember(relation="motto")
    old = await world.remember(
        state="superseded",
        superseded_by=last.id,
        reason=f"'red' gives way to {value!r}: said later",
    )
    await erase(admin, told)
    assert await tables_with(sessions, SECRET) == []
    one = (await admin.get(f"/admin/memories/{held.id}")).json()
    assert (one["state"], one["reason"]) == ("pending", "what it contradicted is erased")
    one = (await admin.get(f"/admin/memories/{old.id}")).json()
    assert (one["state"], one["superseded_by"]) == ("superseded", str(last.id))
