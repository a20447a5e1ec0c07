"""Who calls, and who answers on a name: asked of PostgreSQL, remembered for when it is away."""

from uuid import UUID

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.contracts.adapters import Caller, Route
from shared.db.session import Sessions
from shared.errors import AuthenticationError, NotFoundError
from shared.storage.models import ModelStore
from shared.storage.tenants import TenantStore, hash_key

DATABASE_AWAY = (OperationalError, PoolTimeoutError)


class Directory:
    """Keys and routes. The last known answer serves only while the database does not answer.

    Args:
        sessions: Where to ask.
    """

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self._callers: dict[str, Caller] = {}
        self._routes: dict[tuple[UUID, str], Route] = {}

    async def caller(self, key: str) -> Caller:
        """Who holds a key.

        Raises:
            AuthenticationError: If nobody does.
        """
        hashed = hash_key(key)
        try:
            async with self.sessions.begin() as session:
                caller = await TenantStore(session).caller(key)
        except DATABASE_AWAY:
            if hashed not in self._callers:
                raise
            return self._callers[hashed]
        if caller is None:
            self._callers.pop(hashed, None)
            raise AuthenticationError("This API key is not known. Check the Authorization header.")
        self._callers[hashed] = caller
        return caller

    async def route(self, tenant_id: UUID, name: str) -> Route:
        """Who answers on a public name right now.

        Raises:
            NotFoundError: If the tenant has no model of this name.
        """
        try:
            async with self.sessions.begin() as session:
                route = await ModelStore(session).route(tenant_id, name)
        except DATABASE_AWAY:
            if (tenant_id, name) not in self._routes:
                raise
            return self._routes[tenant_id, name]
        if route is None:
            raise NotFoundError(
                f"The model {name!r} does not exist. GET /v1/models lists yours.",
                param="model",
                code="model_not_found",
            )
        self._routes[tenant_id, name] = route
        return route

    async def names(self, tenant_id: UUID) -> list[str]:
        """The tenant's public names."""
        async with self.sessions.begin() as session:
            return [route.name for route in await ModelStore(session).names(tenant_id)]
