"""An operator's chat with a version that is not the active one: to compare before a rollback."""

from api.directory import Directory
from shared.contracts.adapters import MAX_VERSION, Route
from shared.contracts.keys import Caller
from shared.errors import BadRequestError, NotFoundError, PermissionDeniedError
from shared.storage.adapters import AdapterStore

HEADER = "X-Dormouse-Adapter"


async def pinned(directory: Directory, caller: Caller, route: Route, wanted: str) -> Route:
    """The route to the wanted version of the same model.

    Args:
        directory: Where versions are looked up.
        caller: Must be an administrator.
        route: Who answers without a pin.
        wanted: A version, or `base`.

    Raises:
        PermissionDeniedError: If the caller is no administrator, or the version passed no gate.
        BadRequestError: If it is neither a version nor `base`.
        NotFoundError: If the model has no such version.
    """
    if caller.role != "admin":
        raise PermissionDeniedError(f"The header {HEADER} needs an admin key.")
    if wanted == "base":
        return route.model_copy(update={"adapter": None})
    is_number = wanted.isascii() and wanted.isdecimal() and len(wanted) <= len(str(MAX_VERSION))
    if not is_number or not 0 < int(wanted) <= MAX_VERSION:
        raise BadRequestError(f"{HEADER}: a version's number or 'base', got {wanted[:40]!r}")
    async with directory.sessions.begin() as session:
        store = AdapterStore(session)
        adapter = await store.file_of_version(route.model_id, int(wanted))
        if adapter is None:
            raise NotFoundError(f"The model {route.name!r} has no version {wanted}.")
        if not await store.is_servable(adapter.id):
            raise PermissionDeniedError(
                f"Version {wanted} never passed the gate, or is erased: it answers nobody."
            )
    return route.model_copy(update={"adapter": adapter})
