"""The APIs that clients chat by, and `GET /v1/models`."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.chat.dialects.anthropic import CountRequest, MessagesRequest
from api.chat.dialects.base import Asked
from api.chat.dialects.openai import ChatRequest, CompletionRequest
from api.chat.dialects.responses import ResponsesRequest
from api.dependencies import CallerDep, ModelPath, ServicesDep, get_caller, get_services
from api.openapi import inlined

router = APIRouter(prefix="/v1", tags=["chat"])


def body_of(kind: type[Asked]) -> dict[str, Any]:
    """A body that is read raw, so that nothing that the engine understands is lost on the way."""
    content = {"application/json": {"schema": inlined(kind)}}
    return {"requestBody": {"required": True, "content": content}}


@router.post("/chat/completions", summary="Chat, OpenAI's API", openapi_extra=body_of(ChatRequest))
async def create_chat_completion(request: Request) -> Response:
    """Streaming or whole; every exchange becomes a trace."""
    return await _complete(request, ChatRequest)


@router.post("/completions", summary="Continue a text", openapi_extra=body_of(CompletionRequest))
async def create_completion(request: Request) -> Response:
    """OpenAI's completions; recorded, and never learned from."""
    return await _complete(request, CompletionRequest)


@router.post(
    "/responses", summary="Chat, OpenAI's Responses", openapi_extra=body_of(ResponsesRequest)
)
async def create_response(request: Request) -> Response:
    """As a chat; `previous_response_id` names an earlier one of your tenant."""
    return await _complete(request, ResponsesRequest)


@router.post("/messages", summary="Chat, Anthropic's API", openapi_extra=body_of(MessagesRequest))
async def create_message(request: Request) -> Response:
    """As a chat; the key may come as `x-api-key`."""
    return await _complete(request, MessagesRequest)


@router.post("/messages/count_tokens", summary="Count tokens", openapi_extra=body_of(CountRequest))
async def count_tokens(
    request: Request, caller: CallerDep, services: ServicesDep
) -> dict[str, Any]:
    """Of a message of Anthropic's; nothing is recorded."""
    return await services.chat.count_tokens(request, caller)


@router.get("/models", summary="Your models")
async def list_models(caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    """Public names only."""
    return await services.chat.models(caller)


@router.get("/models/{name}", summary="One of your models")
async def get_model(name: ModelPath, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    """By its public name."""
    return await services.chat.model(caller, name)


async def _complete(request: Request, kind: type[Asked]) -> Response:
    """One reply. What other routes are given, chats fetch: to have it found costs more."""
    services = await get_services(request)
    return await services.chat.complete(request, await get_caller(request, services), kind)
