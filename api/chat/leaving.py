"""Nobody generates for a client that has left."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

T = TypeVar("T")

# Nobody is watched sooner: most of what takes no longer needs no watcher.
GRACE_S = 0.05


async def unless_client_leaves(receive: Receive, work: Coroutine[Any, Any, T]) -> T | None:
    """The result of `work`, or None once the client has gone; the work is cancelled then.

    Args:
        receive: The request's, whose body has been read.
        work: Runs in the caller's task.
    """
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("only a task can be told that its client has left")
    num_cancelled = task.cancelling()
    leaving: asyncio.Task[None] | None = None
    is_working, has_left = True, False

    def leave(_: object) -> None:
        nonlocal has_left
        # The result may have come in the same moment.
        if is_working:
            has_left = True
            task.cancel()

    def watch() -> None:
        nonlocal leaving
        leaving = asyncio.create_task(_disconnect(receive))
        leaving.add_done_callback(leave)

    watching = asyncio.get_running_loop().call_later(GRACE_S, watch)
    try:
        return await work
    except asyncio.CancelledError:
        # As `asyncio.timeout` does it, which took longer than all of this.
        if has_left and task.cancelling() == num_cancelled + 1:
            return None
        raise
    finally:
        is_working = False
        if has_left:
            task.uncancel()
        watching.cancel()
        if leaving is not None:
            leaving.cancel()


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
