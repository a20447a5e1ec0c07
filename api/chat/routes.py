"""`POST /v1/chat/completions` and `GET /v1/models`."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.chat.request import ChatRequest
from api.dependencies import CallerDep, ServicesDep
from api.openapi import inlined

router = APIRouter(prefix="/v1", tags=["chat"])

# The body is read raw, so that nothing that the engine understands is lost on the way.
BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": inlined(ChatRequest)}},
    }
}


@router.post("/chat/completions", summary="Chat, OpenAI's API", openapi_extra=BODY)
async def create_chat_completion(
    request: Request, caller: CallerDep, services: ServicesDep
) -> Response:
    """Streaming or whole; every exchange becomes a trace."""
    return await services.chat.complete(request, caller)


@router.get("/models", summary="Your models")
async def list_models(caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    """Public names only."""
    return await services.chat.models(caller)
