"""The queue: jobs are accepted, cancelled, tried again and looked at here; `dispatch` does them."""

import asyncio
import dataclasses
import hashlib
import json
import logging
import sqlite3
from typing import Any

from backend import __version__, inference
from backend.service.actors import Actors
from backend.service.dispatch import Dispatcher
from backend.service.job import CANCELLED, CANCELLING, DONE, LANES, QUEUED, RETRIED, RUNNING, STATES, Job, new_id
from backend.service.problems import Busy, Conflict, Gone, NotFound, StorageFull
from backend.service.records import Records
from backend.service.settings import ServiceSettings
from backend.service.store import RESULT, UPLOAD, Store
from backend.training import dataset

LOG = logging.getLogger("mouthpiece.jobs")
QUEUE_FULL_SECONDS = 5
"""After which a refused client may try again."""


class Jobs:
    """What routes do with jobs."""

    def __init__(
        self, settings: ServiceSettings, store: Store, records: Records, actors: Actors, dispatcher: Dispatcher
    ) -> None:
        self._settings, self._store, self._records = settings, store, records
        self._actors, self._dispatcher = actors, dispatcher
        self._accepting = asyncio.Lock()

    async def submit(
        self, kind: str, request: dict[str, Any], priority: int, idempotency: str | None, sent: dict[str, Any]
    ) -> tuple[Job, bool]:
        """Accept a job; when this returns, it is on the disk twice.

        request: as `backend.service.requests` makes it of what the client sent, by which requests are told apart: a
        text is spoken a little differently each time, and actors are trained again. Returns the job, and False where
        the idempotency key had brought it here before. Raises Busy, Conflict, StorageFull.
        """
        fingerprint = _digest(sent)
        async with self._accepting:
            known = self._store.by_idempotency(idempotency) if idempotency else None
            if known is not None:
                if known.fingerprint != fingerprint:
                    raise Conflict("Another request was sent with this Idempotency-Key; use a new key.")
                return known, False
            self._check_room()
            job = Job(
                id=new_id(),
                kind=kind,
                key=self._key(kind, request),
                request=request,
                priority=priority,
                idempotency=idempotency,
                fingerprint=fingerprint,
            )
            await asyncio.to_thread(self._accept, job)
        LOG.info("job accepted", extra={"job": job.id, "kind": kind})
        self._dispatcher.wake()
        self._dispatcher.publish(job.id)
        return job, True

    def get(self, job_id: str) -> Job:
        """The job. Raises NotFound."""
        job = self._store.get(job_id)
        if job is None:
            raise NotFound(f"There is no job {job_id}.")
        return job

    def view(self, job: Job) -> dict[str, Any]:
        """The job as clients see it."""
        return self._dispatcher.view(job)

    def newest(self, state: str | None, kind: str | None, limit: int, before: str | None) -> list[Job]:
        """The newest jobs first."""
        return self._store.newest((state,) if state else STATES, (kind,) if kind else tuple(LANES), limit, before)

    async def cancel(self, job_id: str) -> Job:
        """Stop a job; one that has ended stays as it is."""
        self.get(job_id)
        if await asyncio.to_thread(self._store.change, job_id, (QUEUED,), state=CANCELLED):
            await self._dispatcher.keep_record(job_id)
        elif await asyncio.to_thread(self._store.change, job_id, (RUNNING,), state=CANCELLING):
            self._dispatcher.cancel(job_id)
        self._dispatcher.publish(job_id)
        return self.get(job_id)

    async def retry(self, job_id: str) -> Job:
        """Queue a failed or cancelled job again, with the actor as it is now.

        Raises Conflict, Gone, Busy, StorageFull.
        """
        job = self.get(job_id)
        if job.state not in RETRIED:
            raise Conflict(f"The job is {job.state}; only failed and cancelled ones can be retried.")
        for name in job.uploads:
            if self._store.get_file(UPLOAD, name) is None:
                raise Gone("The job's upload has expired; upload the file again and make a new job.")
        self._check_room()
        request = self._refresh_digests(job)
        fresh = {"request": request, "key": self._key(job.kind, request)}
        values = {"state": QUEUED, "error": None, "warnings": [], "crashes": 0, "interruptions": 0, "finished": None}
        if not await asyncio.to_thread(self._queue_again, dataclasses.replace(job, **fresh, **values)):
            await self._dispatcher.keep_record(job_id)
            raise Conflict("The job is being retried already.")
        self._dispatcher.wake()
        self._dispatcher.publish(job_id)
        return self.get(job_id)

    def _accept(self, job: Job) -> None:
        try:
            self._records.write(job)
            self._store.add(job)
        except OSError:
            self._records.remove(job.id)
            raise StorageFull("The disk with the service's data is full; the job was not accepted.", 60) from None
        except (StorageFull, sqlite3.Error):
            self._records.remove(job.id)
            raise

    def _queue_again(self, job: Job) -> bool:
        """The record first: one that says failed would end the job again at the next start."""
        try:
            self._records.write(job)
        except OSError:
            raise StorageFull("The disk with the service's data is full; the job was not retried.", 60) from None
        names = ("key", "state", "error", "warnings", "crashes", "interruptions", "finished")
        values = {name: getattr(job, name) for name in names}
        return self._store.change(job.id, RETRIED, request=json.dumps(job.request), **values)

    def _check_room(self) -> None:
        waiting = self._store.count().get(QUEUED, 0)
        if waiting >= self._settings.max_queue:
            raise Busy(f"{waiting} jobs are waiting, which is all this service takes.", QUEUE_FULL_SECONDS)

    def _key(self, kind: str, request: dict[str, Any]) -> str:
        """What shapes the result: two jobs with the same key need to be done once. Training is never shared."""
        if kind == "train":
            return _digest([kind, new_id()])
        shaping = {key: value for key, value in request.items() if key not in ("name", "seconds", "sources")}
        named = any(line["options"].get("outputs") for line in request.get("lines", [request]) if "options" in line)
        # Blender files carry the recording's name, and reports the videos'; bare animations do not.
        names = [source["name"] for source in request["sources"]] if named or kind == "inspect" else []
        pipeline = dataset.PIPELINE if kind == "inspect" else inference.PIPELINE
        return _digest([__version__, pipeline, kind, shaping, names])

    def _refresh_digests(self, job: Job) -> dict[str, Any]:
        request = dict(job.request)
        if "actor_digest" in request:
            request["actor_digest"] = self._actors.get(request["actor"]).digest
        if "lines" in request:
            lines = request["lines"]
            request["lines"] = [line | {"actor_digest": self._actors.get(line["actor"]).digest} for line in lines]
        return request

    def result_name(self, job: Job) -> str:
        """The result's name in the store. Raises Conflict while there is none, Gone when there is none any more."""
        if job.state != DONE:
            raise Conflict(f"The job is {job.state}; there is no result to fetch.")
        if self._store.get_file(RESULT, job.key) is None:
            raise Gone("The result has expired; make the job again.")
        return job.key


def _digest(values: Any) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
