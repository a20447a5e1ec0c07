"""What routes ask for: the services, and who is calling."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request

from api.services import Services
from shared.contracts.keys import Caller
from shared.contracts.traces import MAX_NAME_LENGTH
from shared.errors import AuthenticationError, PermissionDeniedError


async def get_services(request: Request) -> Services:
    """The process's services. Not a plain function: FastAPI gives those a thread, each time."""
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(get_services)]


async def get_caller(request: Request, services: ServicesDep) -> Caller:
    """Who calls, by bearer key, or as Anthropic's clients send it.

    Raises:
        AuthenticationError: If there is no key, or nobody has it.
    """
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        key = request.headers.get("X-API-Key", "")
    if not key.strip():
        raise AuthenticationError("Send your API key as 'Authorization: Bearer KEY'.")
    return await services.directory.caller(key.strip())


CallerDep = Annotated[Caller, Depends(get_caller)]


async def get_admin(caller: CallerDep) -> Caller:
    """An administrator.

    Raises:
        PermissionDeniedError: If the key is not an admin key.
    """
    if caller.role != "admin":
        raise PermissionDeniedError("This needs an admin key.")
    return caller


async def get_teacher(caller: CallerDep) -> Caller:
    """A teacher, or an administrator: whose word counts at once, and who may review.

    Raises:
        PermissionDeniedError: If the key is neither's.
    """
    if not caller.teaches:
        raise PermissionDeniedError("This needs a teacher's or an admin key.")
    return caller


AdminDep = Annotated[Caller, Depends(get_admin)]
TeacherDep = Annotated[Caller, Depends(get_teacher)]

# PostgreSQL has no text with a null character.
ModelQuery = Annotated[str, Query(min_length=1, max_length=200, pattern="^[^\\x00]*$")]
ErasureReason = Annotated[str | None, Query(max_length=2000, pattern="^[^\\x00]*$")]
AuthorPath = Annotated[
    str,
    Path(
        max_length=MAX_NAME_LENGTH,
        pattern="^[^\\x00]*$",
        description="As the application names him, or `key:NAME` of the key that names nobody.",
    ),
]
ModelPath = Annotated[str, Path(max_length=200, pattern="^[^\\x00]*$")]
