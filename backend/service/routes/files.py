"""What comes in: recordings, videos and actors."""

import secrets
import shutil
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request

from backend.service.core import Core
from backend.service.problems import Problem
from backend.service.routes.answers import refusals
from backend.service.schema import ActorList, ActorView, LocalFile, UploadView
from backend.service.store import StoredFile

BINARY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
FileKind = Annotated[Literal["sound", "video"], Query(description="A video may be sent for the sound in it.")]
Length = Annotated[int | None, Header(ge=0, include_in_schema=False)]


def file_routes(core: Core) -> APIRouter:
    """The routes that take files, and list the actors."""
    router = APIRouter(tags=["files"])

    @router.post("/uploads", status_code=201, responses=refusals(507), openapi_extra=BINARY, operation_id="upload")
    async def upload(
        request: Request,
        kind: FileKind = "sound",
        content_length: Length = None,
    ) -> UploadView:
        """Send a recording or a video as the request's body; it is decoded before it is taken."""
        _check_encoding(request)
        return _view(await core.uploads.receive(request.stream(), content_length, kind))

    @router.post("/uploads/local", status_code=201, responses=refusals(404, 507), operation_id="import_file")
    async def import_file(file: LocalFile) -> UploadView:
        """Take a file from a folder of this computer that the service was started with (--allow)."""
        return _view(await core.uploads.import_path(file.path, file.kind))

    @router.get("/actors", responses=refusals(), operation_id="list_actors")
    async def list_actors() -> ActorList:
        """All actors, your own before the shipped ones."""
        return ActorList(actors=[ActorView(**vars(facts)) for facts in core.actors.all()])

    @router.post(
        "/actors", status_code=201, responses=refusals(409, 507), openapi_extra=BINARY, operation_id="install_actor"
    )
    async def install_actor(request: Request, content_length: Length = None) -> ActorView:
        """Send an actor's folder as a zip; it is unpacked and loaded by a limited process before it is taken."""
        _check_encoding(request)
        target = core.settings.layout.work / f".actor-{secrets.token_hex(8)}"
        try:
            with core.uploads.place(content_length or 0) as path:
                await core.uploads.write_stream(request.stream(), path)
                about = await core.checkers.check("actor", path, core.settings.layout.work, target=str(target))
                return ActorView(**vars(await core.actors.install(target, about["name"])))
        finally:
            shutil.rmtree(target, ignore_errors=True)

    return router


def _check_encoding(request: Request) -> None:
    """Bodies are taken as they are: what is not unpacked cannot unpack to more than the disk holds."""
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Problem("Send the file without Content-Encoding.")


def _view(file: StoredFile) -> UploadView:
    return UploadView(id=file.name, size=file.size, kind=file.about["kind"], seconds=file.about["seconds"])
