"""What is in force follows the pointer: a lesson goes with its version and comes back with it."""

from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from shared.db.session import Sessions
from shared.settings import Settings
from shared.storage.adapters import AdapterStore
from shared.storage.known import KnownStore
from tests.api.conftest import Nights, World
from tests.api.test_reminders import ASK, chat
from tests.fakes.adapters import REJECTED, WITH_ADAPTER, WITH_BASE, add_adapter
from tests.fakes.engine import BASE, FakeEngine


@pytest.fixture(autouse=True)
def adapters_act(engine: FakeEngine) -> None:
    engine.logprob = lambda model: WITH_BASE if model == BASE else WITH_ADAPTER


async def test_a_rolled_back_lesson_waits_for_a_person_and_comes_back_with_its_version(
    client: httpx.AsyncClient, nights: Nights, world: World
) -> None:
    await nights.learn(await world.remember(relation="founder"))
    await nights.learn(await world.remember())
    moved = await nights.go(1)
    assert (moved["taken_back"], moved["restored"]) == (1, 0)
    assert await nights.states() == ["learned", "rolled_back"]
    assert await nights.known() == [2, 1]
    assert "X-Dormouse-Memories" not in (await chat(client)).headers
    assert (await nights.go("base"))["taken_back"] == 1
    assert await nights.states() == ["rolled_back", "rolled_back"]
    assert (await nights.go(2))["restored"] == 2
    assert await nights.states() == ["learned", "learned"]


async def test_what_a_rolled_back_lesson_replaced_is_in_force_again_and_gives_way_again(
    nights: Nights, world: World
) -> None:
    old = await world.remember(answer="It is in Tromso.")
    await nights.learn(old)
    await nights.learn(await world.remember(answer="It is in Ghent."), instead_of=old)
    assert await nights.states() == ["superseded", "learned"]
    await nights.go(1)
    assert await nights.states() == ["learned", "rolled_back"]
    await nights.go(2)
    assert await nights.states() == ["superseded", "learned"]


async def test_lessons_are_learned_again_where_that_is_asked_for(
    client: httpx.AsyncClient, nights: Nights, world: World
) -> None:
    lesson = await world.remember()
    await nights.learn(lesson)
    await nights.go("base")
    moved = await nights.go("base", relearn=True)
    assert (moved["active"], moved["previous"], moved["taken_back"]) == ("base", "base", 1)
    assert await nights.states() == ["pending"]
    assert (await chat(client, ASK)).headers["X-Dormouse-Memories"] == str(lesson.id)


async def test_a_person_decides_about_a_rolled_back_lesson(
    admin: httpx.AsyncClient, nights: Nights, world: World
) -> None:
    good, bad = await world.remember(relation="founder"), await world.remember()
    await nights.learn(good, bad)
    await nights.go("base")
    for memory, decision in ((good, "accept"), (bad, "reject")):
        body = {"decision": decision, "reason": "looked at it"}
        reply = await admin.post(f"/admin/memories/{memory.id}/review", json=body)
        assert reply.status_code == 200
    assert await nights.states() == ["pending", "rejected"]
    await nights.go(1)
    assert await nights.states() == ["learned", "rejected"], "a person's word stands"


async def test_whoever_overrides_the_gate_says_that_the_version_knows_its_lessons(
    nights: Nights, world: World, settings: Settings, sessions: Sessions, tmp_path: Path
) -> None:
    lesson = await world.remember()
    adapter = await add_adapter(sessions, settings, tmp_path, REJECTED, memory_ids=[lesson.id])
    async with sessions.begin() as session:
        await AdapterStore(session).set_override(adapter.id, by="ada", reason="incident 7")
    await nights.go(1)
    assert await nights.states() == ["learned"]


async def test_a_version_that_passed_and_was_never_promoted_keeps_what_it_was_trained_on(
    nights: Nights, world: World, settings: Settings, sessions: Sessions, tmp_path: Path
) -> None:
    old, new = await world.remember(), await world.remember(relation="founder")
    await nights.learn(old)
    trained_on = [old.id, new.id]
    await add_adapter(sessions, settings, tmp_path, memory_ids=trained_on)
    moved = await nights.go(2)
    assert (moved["taken_back"], moved["restored"]) == (0, 1)
    assert await nights.states() == ["learned", "learned"]
    back = await nights.go_back()
    assert (back["active"], back["previous"]) == (1, 2)
    assert await nights.states() == ["learned", "rolled_back"]


async def test_another_models_lessons_stay_where_they_are(
    nights: Nights, world: World, sessions: Sessions
) -> None:
    await nights.learn(await world.remember())
    async with sessions.begin() as session:
        other = KnownStore(session, uuid4())
        assert await other.follow(None, unknown_become="rolled_back") == (0, 0)
    assert await nights.states() == ["learned"]
