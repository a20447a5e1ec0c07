"""The one place that turns errors into HTTP, in OpenAI's envelope."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from shared.errors import BadRequestError, DormouseError, NotFoundError

RETRY_AFTER_S = {429: "1", 503: "5"}

log = logging.getLogger(__name__)


class DatabaseUnavailableError(DormouseError):
    """PostgreSQL does not answer."""

    code = "database_unavailable"
    status_code = 503


def respond(request: Request, error: DormouseError) -> JSONResponse:
    """The reply for an error; Anthropic's clients look for `type` beside OpenAI's envelope."""
    is_anthropic = request.url.path.startswith("/v1/messages")
    body = {"type": "error", **error.envelope()} if is_anthropic else error.envelope()
    headers = {}
    if error.status_code == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.status_code in RETRY_AFTER_S:
        headers["Retry-After"] = RETRY_AFTER_S[error.status_code]
    return JSONResponse(body, status_code=error.status_code, headers=headers)


async def _on_dormouse_error(request: Request, error: DormouseError) -> Response:
    if error.status_code >= 500:
        log.warning("%s %s: %s", request.method, request.url.path, error.message)
    return respond(request, error)


async def _on_invalid_request(request: Request, error: RequestValidationError) -> Response:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"][1:])
    return respond(
        request, BadRequestError(f"{place or 'body'}: {first['msg']}", param=place or None)
    )


async def _on_http_error(request: Request, error: HTTPException) -> Response:
    if error.status_code == 404:
        return respond(request, NotFoundError(f"There is nothing at {request.url.path}."))
    known = BadRequestError(str(error.detail))
    known.status_code = error.status_code
    response = respond(request, known)
    response.headers.update(error.headers or {})
    return response


async def _on_database_away(request: Request, error: Exception) -> Response:
    log.error("%s %s: the database is away: %s", request.method, request.url.path, error)
    return respond(
        request, DatabaseUnavailableError("The database does not answer. Try again shortly.")
    )


async def _on_bug(request: Request, error: Exception) -> Response:
    log.exception("%s %s failed", request.method, request.url.path, exc_info=error)
    return respond(request, DormouseError("Something broke on our side; the log has the details."))


# Whatever else can leave a route is a bug.
EXPECTED: dict[type[Exception], Callable[[Request, Any], Awaitable[Response]]] = {
    DormouseError: _on_dormouse_error,
    RequestValidationError: _on_invalid_request,
    HTTPException: _on_http_error,
    OperationalError: _on_database_away,
    PoolTimeoutError: _on_database_away,
}


def install_error_handlers(app: FastAPI) -> None:
    """Teach the application every error that can leave a route."""
    for kind, handler in EXPECTED.items():
        app.add_exception_handler(kind, handler)
    app.add_exception_handler(Exception, _on_bug)


async def answer_to(request: Request, error: Exception) -> Response:
    """The reply for an error of a request that does not go through FastAPI."""
    for kind in type(error).__mro__:
        if kind in EXPECTED:
            return await EXPECTED[kind](request, error)
    return await _on_bug(request, error)
