"""The engines that serve one model: who gets a request, and who is left alone for a while.

A request goes to the engine with the fewest running ones, among those that are proven to have its
adapter if there are any. An engine that fails before the first byte of its reply loses the request
to the next one; after that nothing is tried again. One that fails again and again is not asked for
a second (a circuit breaker, after Nygard's "Release It!").
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Self

import aiohttp

from api.health.guard import EngineGuard
from shared.contracts.adapters import AdapterFile
from shared.db.session import Sessions
from shared.engine.client import EngineClient
from shared.errors import (
    AdapterFileError,
    AdapterNotAppliedError,
    EngineRejectedError,
    EngineUnavailableError,
)
from shared.settings import Settings

MAX_FAILURES = 3
OPEN_S = 1.0
# Another engine may do better.
PASSED_ON = (EngineUnavailableError, AdapterNotAppliedError, AdapterFileError)

log = logging.getLogger(__name__)


class Breaker:
    """Open after `MAX_FAILURES` in a row, for `OPEN_S`; then each request is a trial."""

    def __init__(self) -> None:
        """Closed."""
        self._num_failures = 0
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        """True while nothing should be tried."""
        return time.monotonic() < self._open_until

    def failed(self) -> None:
        """Count a failure."""
        self._num_failures += 1
        if self._num_failures >= MAX_FAILURES:
            self._open_until = time.monotonic() + OPEN_S

    def worked(self) -> None:
        """Close it."""
        self._num_failures = 0
        self._open_until = 0.0


class Replica:
    """One engine with its guard.

    Args:
        client: The engine.
        guard: Knows which adapters act there.
    """

    def __init__(self, client: EngineClient, guard: EngineGuard) -> None:
        self.client = client
        self.guard = guard
        self.breaker = Breaker()
        self.num_running = 0

    async def begin(
        self, adapter: AdapterFile | None, path: str, body: dict[str, Any], *, whole: bool
    ) -> "Generation":
        """Begin a generation, on an adapter that is proven to act.

        An engine that restarted a moment ago does not know the adapter's name: it is restored and
        asked once more. It never answers with something else.

        Raises:
            EngineError: As `EngineClient.begin` and `EngineGuard.ensure` do.
        """
        self.num_running += 1
        try:
            await self.guard.ensure(adapter)
            try:
                response = await self.client.begin(path, body, whole=whole)
            except EngineRejectedError as error:
                if error.status_code != 404 or adapter is None:
                    raise
                self.guard.forget(adapter)
                await self.guard.ensure(adapter)
                response = await self.client.begin(path, body, whole=whole)
        except BaseException as error:
            self.num_running -= 1
            if isinstance(error, EngineUnavailableError):
                self.breaker.failed()
            raise
        self.breaker.worked()
        return Generation(response, self)


@dataclass(frozen=True)
class Generation:
    """A reply that has begun."""

    response: aiohttp.ClientResponse
    replica: Replica

    def close(self) -> None:
        """Give the connection back; a reply that has not ended is aborted."""
        self.replica.num_running -= 1
        self.response.release()


class EnginePool:
    """All engines.

    Args:
        settings: Their addresses.
        sessions: For their guards.
    """

    def __init__(self, settings: Settings, sessions: Sessions) -> None:
        self._stack = AsyncExitStack()
        self.replicas: Sequence[Replica] = [
            Replica(client, EngineGuard(client, sessions, settings.engine_check_interval_s))
            for client in (EngineClient(settings, url) for url in settings.engine_urls)
        ]

    async def __aenter__(self) -> Self:
        for replica in self.replicas:
            await self._stack.enter_async_context(replica.client)
            await self._stack.enter_async_context(replica.guard)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    @property
    def complaint(self) -> str | None:
        """What keeps an active adapter from answering anywhere, if anything does."""
        complaints = [replica.guard.complaint for replica in self.replicas]
        return None if None in complaints else complaints[0]

    async def ensure(self, adapter: AdapterFile | None) -> None:
        """Return once every engine that answers is proven to have the adapter.

        Raises:
            EngineError: Of the first one, if none is.
        """
        results = await asyncio.gather(
            *(replica.guard.ensure(adapter) for replica in self.replicas), return_exceptions=True
        )
        failures = [result for result in results if result is not None]
        if len(failures) == len(results):
            raise failures[0]

    async def begin(
        self, adapter: AdapterFile | None, path: str, body: dict[str, Any], *, whole: bool
    ) -> Generation:
        """Begin a generation wherever it can be; it must be closed.

        Raises:
            EngineUnavailableError: If no engine answers, or all were left alone a moment ago.
            EngineError: If one refuses or fails.
        """
        failure: Exception = EngineUnavailableError(
            "The engine did not answer a moment ago. Try again shortly."
        )
        for replica in self._in_turn(adapter):
            try:
                return await replica.begin(adapter, path, body, whole=whole)
            except PASSED_ON as error:
                log.warning("an engine did not take a request: %s", error)
                failure = error
        raise failure

    def _in_turn(self, adapter: AdapterFile | None) -> list[Replica]:
        """Whom to ask, one after the other."""
        closed = [replica for replica in self.replicas if not replica.breaker.is_open]
        return sorted(closed, key=lambda item: (not item.guard.has(adapter), item.num_running))
