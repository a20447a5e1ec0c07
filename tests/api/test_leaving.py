"""Work for a client is done while the client is there."""

import asyncio

import pytest
from starlette.types import Message

from api.chat.leaving import unless_client_leaves


async def stay() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def leave() -> Message:
    await asyncio.sleep(0.01)
    return {"type": "http.disconnect"}


async def test_a_client_that_stays_gets_the_result_or_the_error() -> None:
    async def work(error: Exception | None) -> str:
        await asyncio.sleep(0)
        if error is not None:
            raise error
        return "done"

    assert await unless_client_leaves(stay, work(None)) == "done"
    # One that only looks like the client's leaving.
    for error in (TimeoutError("the engine's"), ValueError("another")):
        with pytest.raises(type(error), match=str(error)):
            await unless_client_leaves(stay, work(error))


async def test_work_stops_when_the_client_leaves_and_what_comes_after_goes_on() -> None:
    seen = []

    async def work() -> Message:
        try:
            return await stay()
        except asyncio.CancelledError:
            seen.append("stopped")
            raise

    assert await unless_client_leaves(leave, work()) is None
    assert seen == ["stopped"]
    await asyncio.sleep(0)


@pytest.mark.parametrize("num_steps", range(6))
async def test_a_client_that_leaves_with_the_result_disturbs_nothing_after_it(
    num_steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.chat.leaving.GRACE_S", 0.0)
    gone = asyncio.Event()

    async def work() -> str:
        await asyncio.sleep(0.01)
        gone.set()
        for _ in range(num_steps):
            await asyncio.sleep(0)
        return "done"

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    assert await unless_client_leaves(receive, work()) in ("done", None)
    await asyncio.sleep(0.01)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_client_that_left_is_forgotten_whatever_the_work_makes_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("api.chat.leaving.GRACE_S", 0.0)

    async def work() -> Message:
        try:
            return await stay()
        except asyncio.CancelledError:
            raise ValueError("broken off") from None

    with pytest.raises(ValueError, match="broken off"):
        await unless_client_leaves(leave, work())
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_server_that_stops_is_not_a_client_that_leaves() -> None:
    task = asyncio.create_task(unless_client_leaves(stay, stay()))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
