"""Chats go straight to their endpoints.

FastAPI's way there, through its middleware, routers, exit stacks and search for dependencies, took
a third of the API's time (decision 0028). The routes stay its own: they document themselves, refuse
other methods, and answer under a root path.
"""

from collections.abc import Awaitable, Callable

from fastapi import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.chat import routes
from api.errors import answer_to

Endpoint = Callable[[Request], Awaitable[Response]]

ENDPOINTS: dict[str, Endpoint] = {
    "/v1/chat/completions": routes.create_chat_completion,
    "/v1/completions": routes.create_completion,
    "/v1/responses": routes.create_response,
    "/v1/messages": routes.create_message,
}


def endpoint_of(scope: Scope) -> Endpoint | None:
    """The endpoint of a chat; None for everything else."""
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    return ENDPOINTS.get(scope["path"])


async def answer(endpoint: Endpoint, scope: Scope, receive: Receive, send: Send) -> None:
    """Have a chat answered."""
    request = Request(scope, receive, send)
    try:
        response = await endpoint(request)
    except Exception as error:
        response = await answer_to(request, error)
    await response(scope, receive, send)
