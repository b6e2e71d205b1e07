"""What clients asked for, as it is kept and done: uploads and actors looked up, their digests written down."""

from typing import Any

from backend.file_names import mend_name
from backend.service.actors import Actors
from backend.service.problems import Conflict, NotFound, Unprocessable
from backend.service.schema import (
    AnimateJob,
    AnimateOptions,
    BatchJob,
    InspectJob,
    PathSource,
    SpeechSource,
    TextSource,
    TrainJob,
)
from backend.service.store import UPLOAD, Store, StoredFile
from backend.service.uploads import Uploads

ENDING = {"sound": ".wav", "video": ".mp4"}
"""Shown to decoders, which look at the content; only messages and Blender show the name."""


class Requests:
    """Makes a kept request of what a client sent."""

    def __init__(self, store: Store, uploads: Uploads, actors: Actors) -> None:
        self._store, self._uploads, self._actors = store, uploads, actors

    async def keep(self, job: AnimateJob | BatchJob | InspectJob | TrainJob) -> dict[str, Any]:
        """Look everything up. Raises NotFound, Forbidden, Unprocessable."""
        if isinstance(job, AnimateJob):
            return await self._animate(job)
        if isinstance(job, BatchJob):
            return await self._batch(job)
        return await self._videos(job)

    async def _animate(self, job: AnimateJob) -> dict[str, Any]:
        actor = self._actors.get(job.actor)
        source = await self._source(job.audio, "sound", job.name)
        details = {"actor": job.actor, "actor_digest": actor.digest, "options": _options(job.options)}
        details |= _spoken(job.audio)
        return _request(job.name, [source]) | details

    async def _batch(self, job: BatchJob) -> dict[str, Any]:
        lines, sources = [], []
        for name, line in zip(_own_names([line.name for line in job.lines]), job.lines, strict=True):
            actor = self._actors.get(line.actor)
            sources.append(await self._source(line.audio, "sound", name))
            options = _options(line.options)
            details = {"name": name, "actor": line.actor, "actor_digest": actor.digest, "options": options}
            lines.append(details | _spoken(line.audio))
        return _request(job.name, sources) | {"lines": lines}

    async def _videos(self, job: InspectJob | TrainJob) -> dict[str, Any]:
        sources = [await self._source(video, "video", f"video {number}") for number, video in enumerate(job.videos, 1)]
        request = _request(job.name, sources)
        if isinstance(job, InspectJob):
            return request
        taken = any(actor.name == job.actor for actor in self._actors.all())
        if taken and not job.options.overwrite:
            raise Conflict(f"There is an actor {job.actor!r} already; choose another name or set overwrite.")
        return request | {
            "actor": job.actor,
            "consent": job.consent.model_dump(),
            "options": job.options.model_dump(),
        }

    async def _source(self, source: SpeechSource, kind: str, name: str) -> dict[str, Any]:
        if isinstance(source, TextSource):
            file = await self._uploads.speak(source.text, source.voice)
        elif isinstance(source, PathSource):
            file = await self._uploads.import_path(source.path, kind)
        else:
            file = self._find(source.upload, kind)
        return {"upload": file.name, "name": mend_name(name) + ENDING[kind], **file.about}

    def _find(self, upload: str, kind: str) -> StoredFile:
        file = self._store.get_file(UPLOAD, upload)
        if file is None:
            raise NotFound(f"There is no upload {upload}; it may have expired. Upload the file again.")
        if kind == "video" and file.about["kind"] != "video":
            raise Unprocessable(f"The upload {upload} was sent as a sound; upload the video with kind=video.")
        return file


def _request(name: str, sources: list[dict[str, Any]]) -> dict[str, Any]:
    uploads = [source["upload"] for source in sources]
    return {"name": name, "uploads": uploads, "sources": sources, "seconds": sum(s["seconds"] for s in sources)}


def _spoken(source: SpeechSource) -> dict[str, Any]:
    """What was spoken, for its exact times; nothing for a recording."""
    return {"spoken": source.model_dump()} if isinstance(source, TextSource) else {}


def _own_names(names: list[str]) -> list[str]:
    """The names as folders bear them, with a number where two would be the same one, or the report's file."""
    taken, own = {"lines.json"}, []
    for name in map(mend_name, names):
        number, chosen = 1, name
        while chosen.lower() in taken:
            number += 1
            chosen = f"{name[:70]} ({number})"
        taken.add(chosen.lower())
        own.append(chosen)
    return own


def _options(options: AnimateOptions) -> dict[str, Any]:
    return options.model_dump() | {"outputs": sorted(set(options.outputs))}
