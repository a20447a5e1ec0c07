"""Chats go straight to their endpoints.

FastAPI's way there, through its routers, exit stacks and search for dependencies, took a quarter of
the API's time (decision 0028). The routes stay its own: they document themselves, refuse other
methods, and answer under a root path.
"""

from collections.abc import Awaitable, Callable

from fastapi import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.chat import routes
from api.errors import answer_to

ENDPOINTS: dict[str, Callable[[Request], Awaitable[Response]]] = {
    "/v1/chat/completions": routes.create_chat_completion,
    "/v1/completions": routes.create_completion,
    "/v1/responses": routes.create_response,
    "/v1/messages": routes.create_message,
}


class ChatShortcut:
    """ASGI middleware: answers a chat, passes everything else on.

    Args:
        app: Answers everything else.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        endpoint = ENDPOINTS.get(scope["path"]) if scope["type"] == "http" else None
        if endpoint is None or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive, send)
        try:
            response = await endpoint(request)
        except Exception as error:
            response = await answer_to(request, error)
        await response(scope, receive, send)
