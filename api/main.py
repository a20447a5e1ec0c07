"""The application: `uvicorn api.main:app`."""

import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from api.adapters.routes import router as adapters
from api.chat.routes import router as chat
from api.chat.shortcut import answer, endpoint_of
from api.documents.routes import router as documents
from api.erasure.routes import router as authors
from api.errors import install_error_handlers
from api.feedback.routes import router as feedback
from api.health.routes import router as health
from api.keys.routes import router as keys
from api.memories.routes import router as memories
from api.openapi import ERRORS
from api.services import open_services
from api.sleep.routes import router as sleep
from api.traces.routes import router as traces
from shared.settings import Settings, get_settings

# New objects before they are searched for cycles of garbage; Python's own limit is 700.
GARBAGE_THRESHOLD = 10_000


def _collect_garbage_seldom() -> None:
    """For a process that serves until it ends: what was built so far stays anyway."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)


class Application(FastAPI):
    """Answers chats itself; all else goes the framework's way."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        endpoint = endpoint_of(scope)
        if endpoint is None:
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        await answer(endpoint, scope, receive, send)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application; the settings are those of the environment unless given."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        used = settings or get_settings()
        logging.basicConfig(level=used.log_level)
        async with open_services(used) as services:
            app.state.services = services
            if settings is None:
                _collect_garbage_seldom()
            yield

    app = Application(
        title="Dormouse",
        version="0.1.0",
        lifespan=lifespan,
        responses=ERRORS,
        # A redirect names a scheme, and behind a proxy the wrong one.
        redirect_slashes=False,
    )
    install_error_handlers(app)
    routers = (chat, feedback, sleep, adapters, memories, documents, traces, authors, keys, health)
    for router in routers:
        app.include_router(router)
    return app


app = create_app()
