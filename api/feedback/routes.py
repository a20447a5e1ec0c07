"""`POST /v1/feedback`."""

from typing import Annotated

from fastapi import APIRouter, Header, Request

from api.authors import name_in
from api.dependencies import CallerDep, ServicesDep
from shared.contracts.traces import Feedback, FeedbackRequest

router = APIRouter(prefix="/v1", tags=["feedback"])


@router.post("/feedback", status_code=201, summary="Rate, correct or comment an answer")
async def give_feedback(
    request: Request,
    content: FeedbackRequest,
    caller: CallerDep,
    services: ServicesDep,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> Feedback:
    """Record a signal for the trace whose id came in `X-Dormouse-Trace`."""
    return await services.feedback.give(
        caller, content, named=name_in(request), idempotency_key=idempotency_key
    )
