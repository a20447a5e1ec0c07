"""Nobody generates for a client that has left."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
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
    loop = asyncio.get_running_loop()
    patience = asyncio.timeout(None)
    leaving: asyncio.Task[None] | None = None

    def leave(_: object) -> None:
        # The result may have come in the same moment.
        with suppress(RuntimeError):
            patience.reschedule(loop.time())

    def watch() -> None:
        nonlocal leaving
        leaving = loop.create_task(_disconnect(receive))
        leaving.add_done_callback(leave)

    watching = loop.call_later(GRACE_S, watch)
    try:
        async with patience:
            return await work
    except TimeoutError:
        if patience.expired():
            return None
        raise
    finally:
        watching.cancel()
        if leaving is not None:
            leaving.remove_done_callback(leave)
            leaving.cancel()


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
