"""Alive and ready."""

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from api.engines import EnginePool
from shared.db.session import Sessions
from shared.storage.spool import TraceSpool


class HealthService:
    """Looks at what a chat needs.

    Args:
        sessions: The database.
        engines: The engines and their adapters.
        spool: Traces that wait for the database.
    """

    def __init__(self, sessions: Sessions, engines: EnginePool, spool: TraceSpool) -> None:
        self._sessions = sessions
        self._engines = engines
        self._spool = spool

    async def checks(self) -> dict[str, str]:
        """Each part with `ok`, or with what is wrong."""
        return {
            "database": await self._database(),
            "engine": self._engines.complaint or "ok",
        }

    def num_spooled(self) -> int:
        """How many traces wait on disk for the database."""
        return len(self._spool)

    async def _database(self) -> str:
        try:
            async with self._sessions.begin() as session:
                await session.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError) as error:
            return f"does not answer: {error}"[:300]
        return "ok"
