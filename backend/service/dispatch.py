"""Does the jobs: takes them from the store in order, gives them to worker processes, and writes down how they end."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.renaming import remove_tree
from backend.service.estimate import Estimator, Pace
from backend.service.events import Events
from backend.service.job import CANCELLED, CANCELLING, DONE, FAILED, LANES, QUEUED, RUNNING, Job
from backend.service.job_view import view_job
from backend.service.metrics import Metrics
from backend.service.problems import StorageFull
from backend.service.process import WorkerDied, WorkerProcess
from backend.service.records import Records
from backend.service.settings import ServiceSettings
from backend.service.store import RESULT, Store, StoredFile
from backend.service.whole_file import move_whole

LOG = logging.getLogger("mouthpiece.jobs")
MEMORY_MB = {"quick": 12_288, "long": 24_576}
"""Address space of a worker with all it starts; Blender and torch reserve far more than they use."""
SILENCE = {"quick": 900.0, "long": 3600.0}
"""Seconds without a sign of life after which a worker is ended."""
GRACE = {"quick": 0.8, "long": 20.0}
"""Seconds that a cancelled job gets to stop by itself: a training ends after the next batch."""
MOST_CRASHES = 2
"""Workers that may die of a job."""
IDLE_SECONDS = 300.0
"""After which the worker for long jobs is ended, to give its memory back."""
RETRY_SECONDS = 1.0
"""Between two tries to write down how a job ended while the disk is full."""
MOST_WARNINGS = 20


@dataclass
class Running:
    """A job that is being done."""

    job: Job
    worker: WorkerProcess
    pace: Pace
    warnings: list[str] = field(default_factory=list)


class Dispatcher:
    """One task for each place of each lane, for as long as the service runs."""

    def __init__(
        self, settings: ServiceSettings, store: Store, records: Records, events: Events, metrics: Metrics
    ) -> None:
        self._layout, self._store, self._records = settings.layout, store, records
        self._events, self._metrics = events, metrics
        self._places = {"quick": settings.workers, "long": 1}
        self._estimator = Estimator()
        self._running: dict[str, Running] = {}
        self._busy_keys: set[str] = set()
        self._news: list[asyncio.Event] = []
        self._choosing = asyncio.Lock()
        self._tasks: list[asyncio.Task] = []
        self._workers: list[WorkerProcess] = []
        self._background: set[asyncio.Task] = set()

    # ------------------------------------------------------------ outside

    def start(self) -> None:
        """Begin to work."""
        for lane, count in self._places.items():
            for number in range(count):
                worker = WorkerProcess(f"{lane}-{number}", MEMORY_MB[lane], warm=lane == "quick")
                self._workers.append(worker)
                news = asyncio.Event()
                self._news.append(news)
                self._tasks.append(asyncio.create_task(self._serve_place(lane, worker, news)))

    async def stop(self) -> None:
        """End all work; jobs that were under way are queued again for the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(worker.stop() for worker in self._workers))
        for job_id in list(self._running):
            with contextlib.suppress(StorageFull):
                self._store.change(job_id, (RUNNING,), state=QUEUED)

    def wake(self) -> None:
        """There is a new job, or one less that is busy."""
        for news in self._news:
            news.set()

    def cancel(self, job_id: str) -> None:
        """Stop a running job: it is asked to, and its worker is ended when it does not listen."""
        running = self._running.get(job_id)
        if running is not None:
            running.worker.cancel()
            self._in_background(self._kill_later(running))

    def view(self, job: Job) -> dict[str, Any]:
        """The job as clients see it."""
        running = self._running.get(job.id)
        lane = tuple(kind for kind, name in LANES.items() if name == job.lane)
        view = view_job(job, self._store, running.pace if running else None, self._estimator, lane)
        return view | {"warnings": running.warnings} if running else view

    def publish(self, job_id: str) -> None:
        """Tell those who listen."""
        if self._events.wanted:
            job = self._store.get(job_id)
            if job is not None:
                self._events.publish(self.view(job))

    async def keep_record(self, job_id: str) -> None:
        """Bring the second copy of a job up to date; an end stands that the database alone knows: disks may be full."""
        job = self._store.get(job_id)
        if job is not None:
            with contextlib.suppress(OSError):
                await asyncio.to_thread(self._records.write, job)

    @property
    def state(self) -> list[dict[str, Any]]:
        """The workers, for the metrics and the status page."""
        return [{"name": w.name, "alive": w.alive, "starts": w.starts} for w in self._workers]

    # ------------------------------------------------------------ one place

    async def _serve_place(self, lane: str, worker: WorkerProcess, news: asyncio.Event) -> None:
        kinds = tuple(kind for kind, name in LANES.items() if name == lane)
        if lane == "quick":
            with contextlib.suppress(WorkerDied):  # the first job will find it out
                await worker.start()
        while True:
            try:
                news.clear()
                job = await self._next_job(kinds)
                if job is None:
                    await self._wait(lane, worker, news)
                    continue
                try:
                    await self._do(job, worker)
                finally:
                    self._busy_keys.discard(job.key)
                    self.wake()
            except StorageFull:
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:
                LOG.exception("dispatch failed")
                await asyncio.sleep(RETRY_SECONDS)

    async def _wait(self, lane: str, worker: WorkerProcess, news: asyncio.Event) -> None:
        """Wait for news; a worker for long jobs does not wait with its libraries loaded for ever."""
        try:
            await asyncio.wait_for(news.wait(), IDLE_SECONDS)
        except TimeoutError:
            if lane == "long":
                await worker.stop()

    async def _next_job(self, kinds: tuple[str, ...]) -> Job | None:
        """Choose a job, and mark it as running in the same breath."""
        async with self._choosing:
            job = self._store.next_job(kinds, self._busy_keys)
            if job is None:
                return None
            if self._is_made(job):
                self.wake()
                await asyncio.to_thread(self._store.refresh, RESULT, job.key)
                await self._end(job, state=DONE, cached=1, started=time.time())
                return None
            now = time.time()
            if not await asyncio.to_thread(self._store.change, job.id, (QUEUED,), state=RUNNING, started=now):
                self.wake()  # it was cancelled meanwhile; there may be another
                return None
            self._busy_keys.add(job.key)
            return job

    def _is_made(self, job: Job) -> bool:
        file = self._store.get_file(RESULT, job.key)
        return file is not None and self._layout.result(job.key).is_file()

    async def _do(self, job: Job, worker: WorkerProcess) -> None:
        running = self._running[job.id] = Running(job, worker, Pace(job.kind, job.request["seconds"]))
        self.publish(job.id)
        folder = self._layout.work / job.id
        try:
            outcome = await self._run(running, folder)
            await self._record(running, outcome, folder)
        except WorkerDied as error:
            await self._record_crash(running, error)
        except asyncio.CancelledError:
            worker.kill()
            raise
        except Exception as error:  # a fault of the service itself must not leave the job running for ever
            LOG.exception("dispatch failed")
            await self._record_crash(running, WorkerDied(f"{type(error).__name__} in the service"))
        self._running.pop(job.id, None)
        ended = self._store.get(job.id)
        if ended is None or ended.ended:
            await asyncio.to_thread(remove_tree, folder)
        self.publish(job.id)

    async def _run(self, running: Running, folder: Path) -> dict[str, Any]:
        job = running.job
        now = self._store.get(job.id)
        if now is None or now.state != RUNNING:
            return {"cancelled": True}
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            return await running.worker.run(
                self._task(job, folder), lambda message: self._follow(running, message), SILENCE[job.lane]
            )
        except OSError as error:
            return {"failed": f"The job could not be begun: {error.strerror}. Retry it when that is mended."}

    def _task(self, job: Job, folder: Path) -> dict[str, Any]:
        sources = [
            {"path": str(self._layout.upload(item["upload"])), "name": item["name"]} for item in job.request["sources"]
        ]
        result = str(folder / "result.zip")
        return {
            "task": job.kind,
            "folder": str(folder),
            "request": job.request,
            "sources": sources,
            "result": result,
        }

    def _follow(self, running: Running, message: dict[str, Any]) -> None:
        if "warning" in message:
            running.warnings = [*running.warnings, str(message["warning"])[:500]][-MOST_WARNINGS:]
        elif "stage" in message:
            running.pace.enter(message["stage"], message["done"], message["total"])
        self.publish(running.job.id)

    # ------------------------------------------------------------ ends

    async def _record(self, running: Running, outcome: dict[str, Any], folder: Path) -> None:
        job = running.job
        if "finished" in outcome:
            result = outcome["finished"]
            file = StoredFile(job.key, RESULT, result["size"], result["sha256"], {})
            self._estimator.learn(running.pace)
            await self._persist(lambda: self._keep_result(job, file, folder, running.warnings))
            await self._after(job.id, DONE)
        elif "failed" in outcome:
            await self._end(job, state=FAILED, error=outcome["failed"], warnings=running.warnings)
        else:
            await self._end(job, state=CANCELLED, warnings=running.warnings)

    def _keep_result(self, job: Job, file: StoredFile, folder: Path, warnings: list[str]) -> None:
        made = folder / "result.zip"
        if made.exists():
            move_whole(made, self._layout.result(job.key))
        self._store.finish(job.id, file, finished=time.time(), warnings=warnings)

    async def _record_crash(self, running: Running, error: WorkerDied) -> None:
        """A worker died: of a cancelled job, of its own, or of this job, which gets one more try."""
        job = running.job
        now = self._store.get(job.id)
        if now is None or now.state == CANCELLING:
            await self._end(job, state=CANCELLED, warnings=running.warnings)
            return
        self._metrics.count("worker_deaths_total", lane=job.lane)
        LOG.warning("worker died", extra={"job": job.id, "why": str(error), "crashes": job.crashes + 1})
        if job.crashes + 1 >= MOST_CRASHES:
            sentence = f"The worker ended {job.crashes + 1} times while doing this: {error}. The file may be damaged."
            await self._end(job, state=FAILED, error=sentence, crashes=job.crashes + 1, warnings=running.warnings)
        else:
            values = {"state": QUEUED, "crashes": job.crashes + 1}
            again = await self._persist(lambda: self._store.change(job.id, (RUNNING,), **values))
            if not again:  # it was cancelled since it was looked at
                await self._end(job, state=CANCELLED, warnings=running.warnings)

    async def _end(self, job: Job, state: str, **values: Any) -> None:
        expected = (QUEUED, RUNNING, CANCELLING)
        await self._persist(lambda: self._store.change(job.id, expected, state=state, finished=time.time(), **values))
        await self._after(job.id, state)

    async def _after(self, job_id: str, state: str) -> None:
        self._metrics.count("jobs_ended_total", state=state)
        LOG.info("job ended", extra={"job": job_id, "state": state})
        await self.keep_record(job_id)
        self.publish(job_id)

    async def _persist(self, write: Callable[[], Any]) -> Any:
        """Write to the database, again and again while the disk is full: an end must not be forgotten."""
        while True:
            try:
                return await asyncio.to_thread(write)
            except (StorageFull, OSError) as error:
                LOG.warning("cannot write", extra={"why": str(error)})
                await asyncio.sleep(RETRY_SECONDS)

    # ------------------------------------------------------------ in the background

    async def _kill_later(self, running: Running) -> None:
        await asyncio.sleep(GRACE[running.job.lane])
        if self._running.get(running.job.id) is running:
            running.worker.kill()

    def _in_background(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
