"""How the service is: health, status, metrics, and the page."""

import time

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from backend import __version__
from backend.service.core import Core
from backend.service.job import STATES
from backend.service.metrics import TYPE
from backend.service.page import page_headers, read_page
from backend.service.routes.answers import refusals
from backend.service.schema import Health, Status

LIMITS = ("max_upload_mb", "max_minutes", "max_queue", "keep_gb", "keep_days", "workers")


def system_routes(core: Core) -> APIRouter:
    """The routes about the service itself."""
    router = APIRouter(tags=["service"])

    @router.get("/health", responses=_only(refusals(), 400, 403, 413, 503), operation_id="health")
    async def health() -> Health:
        """That the service is there; needs no token."""
        return Health(service="mouthpiece", status="degraded" if core.problems else "ok", version=__version__)

    @router.get("/status", responses=refusals(), operation_id="status")
    async def status() -> Status:
        """Queue, workers, disk and limits."""
        jobs = core.store.count()
        return Status(
            version=__version__,
            uptime=round(time.monotonic() - core.metrics.started, 1),
            jobs={state: jobs.get(state, 0) for state in STATES},
            workers=core.dispatcher.state,
            disk_free=core.disk_free,
            kept=core.store.size(),
            problems=core.problems,
            limits={name: getattr(core.settings, name) for name in LIMITS},
        )

    text = {200: {"description": "Prometheus' text format.", "content": {"text/plain": {"schema": {"type": "string"}}}}}

    @router.get("/metrics", response_class=Response, responses={**text, **refusals()}, operation_id="metrics")
    async def metrics() -> Response:
        """Counters and gauges for Prometheus."""
        jobs, workers = core.store.count(), core.dispatcher.state
        gauges = [("jobs", {"state": state}, jobs.get(state, 0)) for state in STATES]
        gauges += [("worker_starts_total", {"worker": worker["name"]}, worker["starts"]) for worker in workers]
        gauges += [("worker_alive", {"worker": worker["name"]}, int(worker["alive"])) for worker in workers]
        gauges += [("disk_free_bytes", {}, core.disk_free)]
        gauges += [("uptime_seconds", {}, time.monotonic() - core.metrics.started)]
        return Response(core.metrics.render(gauges), media_type=TYPE)

    return router


def page_route() -> APIRouter:
    """The page in the browser; it holds no secret, and asks for the token where its address brings none."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def page(request: Request) -> HTMLResponse:
        """One file without anything from elsewhere."""
        return HTMLResponse(read_page(), headers=page_headers())

    return router


def _only(responses: dict, *statuses: int) -> dict:
    return {status: responses[status] for status in statuses}
