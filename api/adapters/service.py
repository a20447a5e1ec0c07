"""Versions, and the way back."""

from typing import Literal

from api.directory import Directory
from api.engines import EnginePool
from shared.contracts.adapters import Adapter, AdapterFile, Rollback, RollbackRequest, Route
from shared.contracts.keys import Caller
from shared.errors import NotFoundError, RollbackError
from shared.storage.adapters import AdapterStore
from shared.storage.known import KnownStore
from shared.storage.models import ModelStore


class AdapterService:
    """Lists versions and moves the pointer by hand.

    Args:
        directory: Must ask again once the pointer has moved.
        engines: Must prove that the version to go back to acts, before the pointer moves.
    """

    def __init__(self, directory: Directory, engines: EnginePool) -> None:
        self._directory = directory
        self._sessions = directory.sessions
        self._engines = engines

    async def list_all(self, caller: Caller) -> list[Adapter]:
        """The newest version first."""
        async with self._sessions.begin() as session:
            return await AdapterStore(session).of_tenant(caller.tenant_id)

    async def get(self, caller: Caller, version: int, model: str) -> Adapter:
        """One version of one model.

        Raises:
            NotFoundError: If there is none.
        """
        async with self._sessions.begin() as session:
            found = await AdapterStore(session).of_tenant(caller.tenant_id, version)
        for adapter in found:
            if adapter.model == model:
                return adapter
        raise NotFoundError(f"The model {model!r} has no adapter version {version}.")

    async def rollback(self, caller: Caller, request: RollbackRequest) -> Rollback:
        """Move a model's pointer: one transaction on one row, after the target was proven to act.

        What is in force follows it in that transaction: what only other versions know is not
        rehearsed by the next sleep cycle, or it would come back unasked.

        Raises:
            NotFoundError: If there is no such model or version.
            RollbackError: If there is nothing before, or the target has no passed gate.
        """
        async with self._sessions.begin() as session:
            route = await ModelStore(session).route(caller.tenant_id, request.model)
            if route is None:
                raise NotFoundError(
                    f"The model {request.model!r} does not exist.",
                    param="model",
                    code="model_not_found",
                )
            target = await self._target(AdapterStore(session), route, request.to)
        await self._engines.ensure(target)
        async with self._sessions.begin() as session:
            store = AdapterStore(session)
            await store.active_id(route.model_id)
            if target is not None and not await store.is_servable(target.id):
                raise RollbackError(f"Adapter version {target.version} was erased meanwhile.")
            before = await store.move(
                model_id=route.model_id,
                to=target.id if target else None,
                kind="rollback",
                actor=caller.key_name,
                reason=request.reason,
            )
            previous = await store.file(before) if before else None
            if target is not None:
                await store.trust(target.id)
            taken_back, restored = await KnownStore(session, route.model_id).follow(
                target.id if target else None,
                unknown_become="pending" if request.relearn else "rolled_back",
            )
        self._directory.expire()
        return Rollback(
            active=_version(target),
            previous=_version(previous),
            taken_back=taken_back,
            restored=restored,
        )

    async def _target(
        self, store: AdapterStore, route: Route, to: int | Literal["base"] | None
    ) -> AdapterFile | None:
        if to == "base":
            return None
        if to is None:
            if route.adapter is None:
                raise RollbackError("The bare base answers; there is no version before it.")
            before = await store.servable(await store.before(route.model_id, route.adapter.id))
            return await store.file(before) if before else None
        target = await store.file_of_version(route.model_id, to)
        if target is None:
            raise NotFoundError(
                f"The model {route.name!r} has no adapter version {to}.", param="to"
            )
        if not await store.is_servable(target.id):
            raise RollbackError(
                f"Adapter version {to} has no passed gate, or is erased: it may not answer. "
                f"GET /admin/adapters/{to} shows why.",
                param="to",
            )
        return target


def _version(adapter: AdapterFile | None) -> int | Literal["base"]:
    return adapter.version if adapter else "base"
