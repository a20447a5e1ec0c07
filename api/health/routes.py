"""`/livez`, `/readyz`, `/metrics`: no key, nothing secret."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST

from api.dependencies import ServicesDep
from api.health import metrics

router = APIRouter(tags=["health"])

METRICS: dict[int | str, dict[str, Any]] = {
    200: {"content": {CONTENT_TYPE_LATEST: {"schema": {"type": "string"}}}}
}


@router.get("/livez", summary="The process answers")
async def live() -> dict[str, str]:
    """Alive."""
    return {"status": "ok"}


@router.get("/readyz", summary="Database, engine and active adapter are ready")
async def ready(services: ServicesDep) -> JSONResponse:
    """200 if a chat would be answered as it should be, else 503 with the reasons."""
    checks = await services.health.checks()
    good = all(state == "ok" for state in checks.values())
    body = {"status": "ready" if good else "not ready", "checks": checks}
    return JSONResponse(body, status_code=200 if good else 503)


@router.get("/metrics", summary="Prometheus metrics", responses=METRICS, response_class=Response)
async def read_metrics(services: ServicesDep) -> Response:
    """Prometheus' text format."""
    metrics.SPOOLED.set(services.health.num_spooled())
    checks = await services.health.checks()
    metrics.READY.set(all(state == "ok" for state in checks.values()))
    return Response(metrics.exposition(), media_type=CONTENT_TYPE_LATEST)
