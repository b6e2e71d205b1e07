"""The HTTP application: routes, refusals as one sentence of JSON, and the gate around all of it."""

import json
import logging
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from backend import __version__
from backend.errors import MouthpieceError
from backend.service.core import Core, running
from backend.service.gate import Access, Gate
from backend.service.live import live_route
from backend.service.problems import Problem, http_status, problem_body
from backend.service.routes.files import file_routes
from backend.service.routes.jobs import event_routes, job_routes, result_routes
from backend.service.routes.system import page_route, system_routes
from backend.service.schema import ALTERNATIVES

LOG = logging.getLogger("mouthpiece.service")
ABOUT = """Speech audio to an animated talking face. Upload a recording, ask for a job, follow it, fetch the result.

Every request but `/`, `/v1/health` and this document needs `Authorization: Bearer TOKEN`; the token stands in the
file `token` of the service's data folder. Every refusal is `{"error": sentence, "status": number}`.
"""


def build_app(core: Core) -> FastAPI:
    """The application without the gate; its OpenAPI document is made from the routes."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with running(core):
            yield

    app = FastAPI(
        title="Mouthpiece",
        version=__version__,
        description=ABOUT,
        lifespan=lifespan,
        openapi_url="/v1/openapi.json",
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
    )
    app.include_router(page_route())
    for routes in (job_routes, event_routes, result_routes, file_routes, system_routes):
        app.include_router(routes(core), prefix="/v1")
    app.include_router(live_route(core), prefix="/v1")
    app.add_exception_handler(MouthpieceError, _answer_problem)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(Exception, _answer_unexpected)
    _describe_security(app)
    return app


def build_gated(core: Core, token: str, host: str, port: int, any_address: bool) -> Gate:
    """The whole service, as it is run."""
    access = Access(token, core.settings.names, host, port, any_address)
    return Gate(build_app(core), access, core.metrics)


def _answer(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
    body = json.dumps(problem_body(sentence, status))  # escapes what is no proper text
    return Response(body, status, headers, "application/json")


async def _answer_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, MouthpieceError)
    later = error.retry_after if isinstance(error, Problem) else None
    return _answer(http_status(error), str(error), {"Retry-After": str(later)} if later is not None else None)


async def _answer_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return _answer(422, "; ".join(_sentence(item) for item in error.errors()[:3]) + ".")


def _sentence(item: Any) -> str:
    if item["type"] == "json_invalid":
        return f"The request is no JSON ({item['ctx']['error'][:200]} at letter {item['loc'][-1]})"
    place = ".".join(str(part)[:60] for part in item["loc"] if part not in ("body", "query", *ALTERNATIVES))
    return f"{place or 'The request'}: {item['msg'][:1].lower()}{item['msg'][1:200]}"


async def _answer_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allowed = ", ".join(_methods(request.app, request.url.path))
        return _answer(405, f"This address takes {allowed}.", {"Allow": allowed})
    sentence = "There is nothing at this address." if error.status_code == 404 else str(error.detail)
    return _answer(error.status_code, sentence, error.headers)


def _methods(app: FastAPI, path: str) -> list[str]:
    """What an address takes, over all of its routes."""
    for template, operations in app.openapi()["paths"].items():
        pattern = re.escape(template).replace(r"\{name\}", ".+").replace(r"\{job_id\}", "[^/]+")
        if re.fullmatch(pattern, path):
            return sorted(method.upper() for method in operations)
    return ["GET"]


async def _answer_unexpected(request: Request, error: Exception) -> Response:
    LOG.error("unexpected", exc_info=error, extra={"path": request.url.path[:200]})
    return JSONResponse(problem_body("Something unexpected went wrong; the service's log has the details.", 500), 500)


def _describe_security(app: FastAPI) -> None:
    """Say in the document that the routes need the token."""
    document = app.openapi()
    document.setdefault("components", {})["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            operation["security"] = [] if path == "/v1/health" else [{"token": []}]
