"""What somebody said before he was erased does not come in after it."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import delete

from api.chat.recorder import TraceRecorder
from shared.contracts.traces import Trace
from shared.db.session import Sessions
from shared.db.tables import SignalRow, TraceRow
from shared.settings import Settings
from shared.storage.cycles import SleepCycleStore
from shared.storage.late import LateStore
from shared.storage.spool import TraceSpool
from shared.storage.tenants import TenantStore
from shared.storage.traces import TraceStore
from tests.api.conftest import World
from tests.api.erasing import ADA, BOB, SAYS, SECRET, comment, forget, say, state, tables_with
from tests.fakes.traces import make_trace

Hashed = Callable[[str], str]


@pytest.fixture
async def tenant_id(sessions: Sessions) -> UUID:
    async with sessions.begin() as session:
        return await TenantStore(session).ensure_tenant("default")


@pytest.fixture
def spoken(world: World, tenant_id: UUID, hashed: Hashed) -> Callable[[str], Trace]:
    """A trace of somebody that is in no table."""

    def make(name: str) -> Trace:
        return make_trace(SAYS, tenant_id=tenant_id, model_id=world.model_id, author=hashed(name))

    return make


def words_in(directory: Path) -> str:
    return "".join(file.read_text() for file in directory.glob("*"))


async def test_the_spool_is_cleaned_of_him_alone(
    admin: httpx.AsyncClient,
    settings: Settings,
    sessions: Sessions,
    hashed: Hashed,
    spoken: Callable[[str], Trace],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def waits(recorder: TraceRecorder) -> int:
        return 0

    monkeypatch.setattr(TraceRecorder, "replay", waits)
    spool = TraceSpool(settings.spool_dir, 10**6)
    told, refused, other = spoken(ADA), spoken(ADA), spoken(BOB)
    for trace in (told, refused, other):
        spool.write(trace)
    spool.set_aside(refused)
    # What a crash left of a file.
    half = settings.spool_dir / f"{told.id}.partial"
    half.write_bytes(told.model_dump_json().encode()[:-20])
    assert (await forget(admin))["num_spooled"] == 3
    assert [trace.id for trace in spool.traces()] == [other.id]
    assert spool.num_set_aside == 0
    assert hashed(ADA) not in words_in(settings.spool_dir)
    assert await tables_with(sessions, hashed(ADA)) == ["erased_authors"]


async def test_another_process_that_replays_his_words_drops_them(
    client: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    sessions: Sessions,
    hashed: Hashed,
    spoken: Callable[[str], Trace],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    elsewhere = TraceSpool(tmp_path / "elsewhere", 10**6)
    told, other = spoken(ADA), spoken(BOB)
    elsewhere.write(told)
    elsewhere.write(other)
    await say(client, SAYS, name=ADA)
    await forget(admin)
    since = spoken(ADA)
    elsewhere.write(since)
    with caplog.at_level("INFO"):
        await TraceRecorder(sessions, elsewhere).replay()
    assert words_in(tmp_path / "elsewhere") == ""
    assert (await admin.get(f"/admin/traces/{told.id}")).status_code == 404
    assert [await state(admin, each.id) for each in (other, since)] == ["queued", "queued"]
    assert f"spooled trace {told.id} is dropped" in caplog.text
    assert SECRET not in caplog.text


async def test_who_is_only_in_the_spool_is_found(
    admin: httpx.AsyncClient,
    settings: Settings,
    spoken: Callable[[str], Trace],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spool = TraceSpool(settings.spool_dir, 10**6)
    told = spoken(ADA)
    spool.write(told)
    spool.set_aside(told)
    assert (await admin.delete(f"/admin/authors/{BOB}")).status_code == 404
    assert await forget(admin) == {"models": {}, "num_signals": 0, "num_spooled": 1}
    assert list(settings.spool_dir.glob("*")) == []


async def test_what_waits_to_be_written_is_written_first(
    sessions: Sessions, spoken: Callable[[str], Trace], tmp_path: Path
) -> None:
    told = spoken(ADA)
    async with TraceRecorder(sessions, TraceSpool(tmp_path / "other", 10**6)) as recorder:
        written = recorder.record_late(told)
        await recorder.settle()
        assert written.done()


async def test_an_erased_person_in_an_exported_file_is_not_brought_back(
    client: httpx.AsyncClient, admin: httpx.AsyncClient, sessions: Sessions, hashed: Hashed
) -> None:
    told, theirs = await say(client, SAYS, name=ADA), await say(client, "Hello!", name=BOB)
    await comment(client, ADA, theirs)
    await comment(client, BOB, theirs, "Well said.")
    lines = (await admin.get("/admin/traces")).content
    await forget(admin)
    async with sessions.begin() as session:
        # As if the file came to a system that had none of it.
        for row in (TraceRow, SignalRow):
            await session.execute(delete(row))
    again = (await admin.post("/admin/traces", content=lines)).json()
    assert again == {"imported": 1, "known": 1}
    assert (await admin.get(f"/admin/traces/{told}")).status_code == 404
    record = (await admin.get(f"/admin/traces/{theirs}")).json()
    assert [signal["correction"] for signal in record["signals"]] == ["Well said."]
    assert await tables_with(sessions, SECRET) == []
    assert await tables_with(sessions, hashed(ADA)) == ["erased_authors"]


async def test_a_reply_that_ends_after_the_erasing_is_read_by_no_night_and_deleted(
    client: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    sessions: Sessions,
    world: World,
    spoken: Callable[[str], Trace],
) -> None:
    late = spoken(ADA)
    await say(client, SAYS, name=ADA)
    await forget(admin)
    fresh = await say(client, "Good evening.", name=ADA)
    async with sessions.begin() as session:
        await TraceStore(session).add(late)
        cycle_id = await SleepCycleStore(session).add(
            model_id=world.model_id, trigger="request", reason=None, requested_by="test"
        )
        assert await TraceStore(session).claim(world.model_id, cycle_id, 10) == 1
    assert [await state(admin, each) for each in (late.id, fresh)] == ["queued", "claimed"]
    await comment(client, BOB, late.id)
    async with sessions.begin() as session:
        assert await LateStore(session).delete_all() == [late.id]
    assert await tables_with(sessions, SECRET) == []
    assert await state(admin, fresh) == "claimed"
