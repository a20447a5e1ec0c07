"""Nobody generates for a client that has left."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from starlette.types import Receive

T = TypeVar("T")


async def unless_client_leaves(receive: Receive, work: Coroutine[Any, Any, T]) -> T | None:
    """The result of `work`, or None once the client has gone; the work is cancelled then.

    Args:
        receive: The request's, whose body has been read.
        work: Runs in the caller's task.
    """
    loop = asyncio.get_running_loop()
    leaving = asyncio.ensure_future(_disconnect(receive))
    patience = asyncio.timeout(None)

    def leave(_: object) -> None:
        # The result may have come in the same moment.
        with suppress(RuntimeError):
            patience.reschedule(loop.time())

    try:
        async with patience:
            leaving.add_done_callback(leave)
            return await work
    except TimeoutError:
        if patience.expired():
            return None
        raise
    finally:
        leaving.remove_done_callback(leave)
        leaving.cancel()


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
