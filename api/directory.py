"""Who calls, who answers on a name, and whether lessons wait: asked of PostgreSQL, and remembered.

For a moment an answer is as good as new, so that a chat needs no query; a change that PostgreSQL
announces ends that at once, and should the announcement be lost, time does. While the database does
not answer the last known answer serves, however old.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Hashable
from types import TracebackType
from typing import Generic, Self, TypeVar
from uuid import UUID

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.contracts.adapters import Route
from shared.contracts.keys import Caller
from shared.db.announcements import announcements
from shared.db.session import Sessions
from shared.errors import AuthenticationError, NotFoundError
from shared.settings import Settings
from shared.storage.keys import KeyStore, hash_key
from shared.storage.memories import MemoryStore
from shared.storage.models import ModelStore

DATABASE_AWAY = (OperationalError, PoolTimeoutError)
CHANNEL = "dormouse_routes"
FRESH_S = 1.0
RECONNECT_S = 1.0
# A database that takes longer is as good as away.
ASK_TIMEOUT_S = 5.0

log = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class _Remembered(Generic[K, V]):
    """Answers and when they were asked for; what many want to know at once is asked once."""

    def __init__(self) -> None:
        self._answers: dict[K, tuple[float, V]] = {}
        self._asking: dict[K, tuple[float, asyncio.Task[V | None]]] = {}
        self._old_until = 0.0

    async def get(self, key: K, ask: Callable[[], Awaitable[V | None]]) -> V | None:
        """The answer: remembered if fresh, asked for otherwise, remembered if that fails."""
        now = time.monotonic()
        asked_at, answer = self._answers.get(key, (float("-inf"), None))
        if asked_at > max(self._old_until, now - FRESH_S):
            return answer
        asked_at, asking = self._asking.get(key, (float("-inf"), None))
        if asking is None or asking.done() or asked_at <= self._old_until:
            asking = asyncio.create_task(self._ask(key, now, ask))
            self._asking[key] = (now, asking)
        # Who leaves takes the answer from nobody else.
        return await asyncio.shield(asking)

    async def _ask(self, key: K, now: float, ask: Callable[[], Awaitable[V | None]]) -> V | None:
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                found = await ask()
        except (*DATABASE_AWAY, TimeoutError) as error:
            if key in self._answers:
                return self._answers[key][1]
            if isinstance(error, TimeoutError):
                raise PoolTimeoutError("PostgreSQL took too long") from error
            raise
        finally:
            if self._asking.get(key, (None,))[0] == now:
                del self._asking[key]
        if found is None:
            self._answers.pop(key, None)
        else:
            self._answers[key] = (now, found)
        return found

    def expire(self) -> None:
        """No answer is fresh any more, not even one that is on its way."""
        self._old_until = time.monotonic()


class Directory:
    """Keys, routes, and whether a model has lessons outside its weights.

    Args:
        settings: The database's address, to be told of changes.
        sessions: Where to ask.
    """

    def __init__(self, settings: Settings, sessions: Sessions) -> None:
        self.sessions = sessions
        self._database_url = settings.database_url.get_secret_value()
        self._callers: _Remembered[str, Caller] = _Remembered()
        self._routes: _Remembered[tuple[UUID, str], Route] = _Remembered()
        self._waits: _Remembered[UUID, bool] = _Remembered()
        self._watch: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._watch = asyncio.create_task(self._watch_for_ever())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)

    def expire(self) -> None:
        """Something changed: ask again."""
        self._callers.expire()
        self._routes.expire()
        self._waits.expire()

    async def caller(self, key: str) -> Caller:
        """Who holds a key.

        Raises:
            AuthenticationError: If nobody does.
        """

        async def ask() -> Caller | None:
            async with self.sessions.begin() as session:
                return await KeyStore(session).caller(key)

        caller = await self._callers.get(hash_key(key), ask)
        if caller is None:
            raise AuthenticationError(
                "This API key is not known, was revoked or has expired. Check the Authorization "
                "header."
            )
        return caller

    async def route(self, tenant_id: UUID, name: str) -> Route:
        """Who answers on a public name right now.

        Raises:
            NotFoundError: If the tenant has no model of this name.
        """

        async def ask() -> Route | None:
            async with self.sessions.begin() as session:
                return await ModelStore(session).route(tenant_id, name)

        route = await self._routes.get((tenant_id, name), ask)
        if route is None:
            raise NotFoundError(
                f"The model {name!r} does not exist. GET /v1/models lists yours.",
                param="model",
                code="model_not_found",
            )
        return route

    async def lessons_wait(self, model_id: UUID) -> bool:
        """True if there may be lessons that no adapter holds yet."""

        async def ask() -> bool:
            async with self.sessions.begin() as session:
                return await MemoryStore(session).any_waits(model_id)

        return bool(await self._waits.get(model_id, ask))

    async def names(self, tenant_id: UUID) -> list[str]:
        """The tenant's public names."""
        async with self.sessions.begin() as session:
            return [route.name for route in await ModelStore(session).names(tenant_id)]

    async def _watch_for_ever(self) -> None:
        while True:
            try:
                async for _ in announcements(self._database_url, CHANNEL):
                    self.expire()
            except OSError as error:
                log.info("changes are not announced, answers are fresh for a second: %s", error)
            await asyncio.sleep(RECONNECT_S)
