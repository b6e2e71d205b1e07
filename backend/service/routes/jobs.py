"""Jobs: ask for them, follow them, stop them, fetch what they made."""

import asyncio
import json
import mimetypes
from collections.abc import AsyncIterator
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from backend.service.core import Core
from backend.service.job import Job
from backend.service.problems import Gone, NotFound
from backend.service.ranges import send_part
from backend.service.result_file import read_members
from backend.service.routes.answers import refusals
from backend.service.routes.examples import JOB_EXAMPLES
from backend.service.schema import AnyJob, FileList, JobList, JobView, Kind, State
from backend.service.store import RESULT, UPLOAD, StoredFile

JobId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="The job's id.")]
KEY = r"^[A-Za-z0-9_.:-]{8,128}$"
Key = Annotated[
    str,
    Header(pattern=KEY, description="A repeated request with the same key gives the same job, not another one."),
]
LINKS: dict[str, dict[str, Any]] = {
    name: {"operationId": operation, "parameters": {"job_id": "$response.body#/id"}}
    for name, operation in (
        ("follow", "get_job"),
        ("cancel", "cancel_job"),
        ("retry", "retry_job"),
        ("result", "get_result"),
        ("files", "list_files"),
        ("audio", "get_audio"),
    )
}
LINKS["file"] = {"operationId": "get_file", "parameters": LINKS["files"]["parameters"] | {"name": "animation.npz"}}
PLAIN = "application/octet-stream"
SHOWN_TYPES = ("application/json", "image/jpeg", "image/png", "text/csv", "video/mp4")
"""What a browser is told of files in a result; it runs none of these. The others are plain bytes."""
STREAM = {200: {"description": "Events named job with a JobView as JSON.", "content": {"text/event-stream": {}}}}


def parts(*media_types: str) -> dict[int | str, dict[str, Any]]:
    """The answers of a route that sends files, or parts of them."""
    content: dict[str, Any] = {name: {"schema": {"type": "string", "format": "binary"}} for name in media_types}
    if "application/json" in content:
        content["application/json"] = {"schema": {}}  # lists and tables, whatever the job wrote
    return {
        200: {"description": "The bytes.", "content": content},
        206: {"description": "The part that Range names.", "content": content},
        304: {"description": "It is what If-None-Match names."},
    }


def job_routes(core: Core) -> APIRouter:
    """The routes that ask for jobs and follow them."""
    router = APIRouter(tags=["jobs"])

    @router.post(
        "/jobs",
        status_code=201,
        responses={
            200: {"model": JobView, "description": "Accepted before, with the same Idempotency-Key."},
            201: {"description": "Accepted, and on the disk.", "links": LINKS},
            **refusals(404, 409, 507),
        },
        operation_id="create_job",
    )
    async def create_job(
        response: Response,
        job: Annotated[AnyJob, Body(openapi_examples=JOB_EXAMPLES)],
        idempotency_key: Key = "",
    ) -> JobView:
        """Ask for a job. It is accepted once this answers: from then on neither a crash nor a power cut loses it."""
        request = await core.requests.keep(job)
        sent = job.model_dump(mode="json")
        accepted, new = await core.jobs.submit(job.kind, request, job.priority, idempotency_key or None, sent)
        response.status_code = 201 if new else 200
        response.headers["location"] = f"/v1/jobs/{accepted.id}"
        return JobView(**core.jobs.view(accepted))

    @router.get("/jobs", responses=refusals(), operation_id="list_jobs")
    async def list_jobs(
        state: State | None = None,
        kind: Kind | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        before: Annotated[str, Query(pattern=r"^[0-9a-f]{32}$", description="Older than this job.")] = "",
    ) -> JobList:
        """The newest jobs first."""
        jobs = core.jobs.newest(state, kind, limit, before or None)
        return JobList(jobs=[JobView(**core.jobs.view(job)) for job in jobs])

    @router.get("/jobs/{job_id}", responses=refusals(404), operation_id="get_job")
    async def get_job(job_id: JobId) -> JobView:
        """How far a job is, or how it ended."""
        return JobView(**core.jobs.view(core.jobs.get(job_id)))

    @router.delete("/jobs/{job_id}", responses=refusals(404, 507), operation_id="cancel_job")
    async def cancel_job(job_id: JobId) -> JobView:
        """Cancel a job; within a second it has stopped, a training after its next batch. An ended one stays."""
        return JobView(**core.jobs.view(await core.jobs.cancel(job_id)))

    @router.post("/jobs/{job_id}/retry", responses=refusals(404, 409, 410, 507), operation_id="retry_job")
    async def retry_job(job_id: JobId) -> JobView:
        """Queue a failed or cancelled job again."""
        return JobView(**core.jobs.view(await core.jobs.retry(job_id)))

    return router


def event_routes(core: Core) -> APIRouter:
    """The routes that tell of jobs as they change."""
    router = APIRouter(tags=["jobs"])

    @router.get("/jobs/{job_id}/events", responses={**STREAM, **refusals(404)}, operation_id="follow_job")
    async def follow_job(job_id: JobId) -> StreamingResponse:
        """The job now, and again whenever it changes, as server-sent events until it has ended."""
        core.jobs.get(job_id)
        return _event_stream(core, job_id)

    @router.get("/events", responses={**STREAM, **refusals()}, operation_id="follow_all")
    async def follow_all() -> StreamingResponse:
        """All jobs whenever they change, as server-sent events."""
        return _event_stream(core, None)

    return router


def result_routes(core: Core) -> APIRouter:
    """The routes that hand out results."""
    router = APIRouter(tags=["results"])

    @router.get(
        "/jobs/{job_id}/result",
        response_class=Response,
        responses={**parts("application/zip"), **refusals(404, 409, 410, 416)},
        operation_id="get_result",
    )
    async def get_result(job_id: JobId, request: Request) -> Response:
        """Everything the job made, as a zip; parts of it by Range."""
        path, file = _result(core, core.jobs.get(job_id))
        return _send(core, request, path, 0, file.size, file, "application/zip", file.sha256)

    @router.get("/jobs/{job_id}/files", responses=refusals(404, 409, 410), operation_id="list_files")
    async def list_files(job_id: JobId) -> FileList:
        """The files in the result."""
        path, _ = _result(core, core.jobs.get(job_id))
        members = await asyncio.to_thread(read_members, path)
        rows: list[Any] = [{"name": member.name, "size": member.size} for member in members.values()]
        return FileList(files=rows)

    @router.get(
        "/jobs/{job_id}/files/{name:path}",
        response_class=Response,
        responses={**parts(PLAIN, *SHOWN_TYPES), **refusals(404, 409, 410, 416)},
        operation_id="get_file",
    )
    async def get_file(job_id: JobId, name: str, request: Request) -> Response:
        """One file of the result, without fetching the others; parts of it by Range."""
        path, file = _result(core, core.jobs.get(job_id))
        member = (await asyncio.to_thread(read_members, path)).get(name)
        if member is None:
            raise NotFound("There is no such file in the result.")
        etag = f"{file.sha256}-{member.offset}"
        return _send(core, request, path, member.offset, member.size, file, _media_type(name), etag)

    @router.get(
        "/jobs/{job_id}/audio",
        response_class=Response,
        responses={**parts(PLAIN), **refusals(404, 410, 416)},
        operation_id="get_audio",
    )
    async def get_audio(job_id: JobId, request: Request) -> Response:
        """The recording or the first video of the job, as it was sent."""
        name = core.jobs.get(job_id).uploads[0]
        file = core.store.get_file(UPLOAD, name)
        if file is None:
            raise Gone("The upload has expired.")
        return _send(core, request, core.settings.layout.upload(name), 0, file.size, file, PLAIN, name)

    return router


def _result(core: Core, job: Job) -> tuple[FilePath, StoredFile]:
    name = core.jobs.result_name(job)
    file = core.store.get_file(RESULT, name)
    path = core.settings.layout.result(name)
    if file is None or not path.is_file():
        raise Gone("The result has expired; make the job again.")
    return path, file


def _send(
    core: Core, request: Request, path: FilePath, offset: int, size: int, file: StoredFile, kind: str, etag: str
) -> Response:
    core.housekeeping.read(file.role, file.name)
    reading = core.readers.reading(file.role, file.name)
    return send_part(path, offset, size, dict(request.headers), etag, kind, reading)


def _media_type(name: str) -> str:
    """What a browser is told; nothing that it would run."""
    kind = mimetypes.guess_type(name)[0] or ""
    return kind if kind in SHOWN_TYPES else PLAIN


def _event_stream(core: Core, job_id: str | None) -> StreamingResponse:
    core.events.check_room()

    async def lines() -> AsyncIterator[str]:
        yield "retry: 1000\n\n"
        first = core.jobs.view(core.jobs.get(job_id)) if job_id is not None else None
        async for view in core.events.stream(job_id, first):
            yield f"event: job\ndata: {json.dumps(view)}\n\n" if view else ": still here\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream", headers={"cache-control": "no-store"})
