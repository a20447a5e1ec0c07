"""The engine's guard: no adapter serves before it was loaded and proven to act.

An engine that restarts forgets its adapters. The guard notices, loads them again and probes them;
until then `/readyz` says no and chats on them get a 503, never the base's answer.
"""

import asyncio
import logging
from types import TracebackType
from typing import Self

from sqlalchemy.exc import SQLAlchemyError

from shared.contracts.adapters import AdapterFile
from shared.db.session import Sessions
from shared.engine.adapters import load_and_probe
from shared.engine.client import EngineClient
from shared.errors import AdapterNotAppliedError, DormouseError, EngineRejectedError
from shared.storage.models import ModelStore

log = logging.getLogger(__name__)


class EngineGuard:
    """Knows which adapters this process may send requests to.

    Args:
        engine: The engine.
        sessions: To learn which adapters are active, or may be next.
        interval_s: How often to look.
    """

    def __init__(self, engine: EngineClient, sessions: Sessions, interval_s: float) -> None:
        self._engine = engine
        self._sessions = sessions
        self._interval_s = interval_s
        self._proven: set[str] = set()
        self._lock = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self.complaint: str | None = "the engine was not looked at yet"

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def has(self, adapter: AdapterFile | None) -> bool:
        """True for an adapter that is proven to act, and for the base."""
        return adapter is None or adapter.engine_name in self._proven

    async def ensure(self, adapter: AdapterFile | None) -> None:
        """Return once the adapter is proven to act; at once for one that is, or for the base.

        Raises:
            EngineUnavailableError: If the engine is away.
            AdapterNotAppliedError: If it refuses the adapter, or the adapter does not act.
            AdapterFileError: If its files are damaged.
        """
        if self.has(adapter):
            return
        assert adapter is not None
        async with self._lock:
            if adapter.engine_name not in self._proven:
                try:
                    await load_and_probe(self._engine, adapter)
                except EngineRejectedError as error:
                    log.error("the engine refuses adapter %s: %s", adapter.version, error.message)
                    raise AdapterNotAppliedError(
                        f"The engine refuses to load adapter version {adapter.version}; the API's "
                        "log has its words. Roll back, or try again shortly."
                    ) from error
                self._proven.add(adapter.engine_name)

    def forget(self, adapter: AdapterFile) -> None:
        """The engine does not know the adapter any more."""
        self._proven.discard(adapter.engine_name)

    async def _watch(self) -> None:
        while True:
            try:
                self.complaint = await self._look()
            except (DormouseError, SQLAlchemyError, OSError) as error:
                self.complaint = str(error)
            except Exception:
                log.exception("the engine's guard stumbled")
                self.complaint = "the guard failed; see the log"
            await asyncio.sleep(self._interval_s)

    async def _look(self) -> str | None:
        """Look once; restore what is missing.

        Returns:
            What keeps an active adapter from answering, if anything does.
        """
        try:
            self._proven &= await self._engine.models()
        except DormouseError:
            self._proven.clear()
            raise
        async with self._sessions.begin() as session:
            active = {route.engine_name for route in await ModelStore(session).active()}
            to_serve = await ModelStore(session).to_serve()
        complaint = None
        for route in to_serve:
            try:
                await self.ensure(route.adapter)
            except DormouseError as error:
                log.warning("adapter %s of %s: %s", route.version, route.name, error.message)
                if route.engine_name in active:
                    complaint = error.message
        return complaint
