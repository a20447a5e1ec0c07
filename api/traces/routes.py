"""`/admin/traces`."""

import re
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BeforeValidator

from api.dependencies import AdminDep, ErasureReason, ModelQuery, ServicesDep
from shared.contracts.archive import Imported, TraceRecord
from shared.contracts.erasure import Erasure

router = APIRouter(prefix="/admin/traces", tags=["traces"])

LINES = "application/jsonl"
BODY = {
    "requestBody": {
        "required": True,
        "content": {LINES: {"schema": {"type": "string", "description": "One JSON a line."}}},
    }
}


def _no_number(value: Any) -> Any:
    """A bare number would be read as seconds since 1970, which nobody means."""
    if isinstance(value, str) and re.fullmatch(r"[-+.\d]+", value):
        raise ValueError("give an ISO 8601 date and time, as 2026-01-31T08:00:00Z")
    return value


Moment = Annotated[datetime, BeforeValidator(_no_number)]


@router.get("", summary="All traces as lines", response_class=StreamingResponse)
async def export_traces(
    caller: AdminDep,
    services: ServicesDep,
    model: ModelQuery = "default",
    since: Moment | None = None,
    until: Moment | None = None,
) -> StreamingResponse:
    """Complete exchanges, oldest first, in OpenAI's chat format; `dormouse` holds the rest."""
    lines = await services.traces.export(caller, model, since, until)
    return StreamingResponse(lines, media_type=LINES)


@router.post("", summary="Bring traces in", openapi_extra=BODY)
async def import_traces(
    request: Request, caller: AdminDep, services: ServicesDep, model: ModelQuery = "default"
) -> Imported:
    """Conversations as lines, for the next sleep cycle. The same line again changes nothing."""
    return await services.traces.bring_in(caller, model, request.stream())


@router.delete("/{trace_id}", summary="Erase a trace")
async def erase_trace(
    trace_id: UUID,
    caller: AdminDep,
    services: ServicesDep,
    reason: ErasureReason = None,
) -> Erasure:
    """With what was learned from it: versions that know it never answer again."""
    return await services.erasure.erase_trace(caller, trace_id, reason)


@router.get("/{trace_id}", summary="One trace")
async def get_trace(trace_id: UUID, caller: AdminDep, services: ServicesDep) -> TraceRecord:
    """The exchange, what was said of it, why it was kept or not, and what was learned from it."""
    return await services.traces.get(caller, trace_id)
