"""The parts of a running service, put together."""

import asyncio
import contextlib
import logging
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass

from backend.service.actors import Actors
from backend.service.checkers import Checkers
from backend.service.dispatch import Dispatcher
from backend.service.events import Events
from backend.service.housekeeping import Housekeeping, Readers
from backend.service.jobs import Jobs
from backend.service.live_workers import LiveWorkers
from backend.service.metrics import Metrics
from backend.service.problems import StorageFull
from backend.service.records import Records
from backend.service.recovery import open_store
from backend.service.requests import Requests
from backend.service.settings import ServiceSettings
from backend.service.store import Store
from backend.service.uploads import Uploads

LOG = logging.getLogger("mouthpiece.service")


@dataclass(frozen=True)
class Core:
    """What the routes use."""

    settings: ServiceSettings
    store: Store
    actors: Actors
    checkers: Checkers
    uploads: Uploads
    requests: Requests
    jobs: Jobs
    dispatcher: Dispatcher
    events: Events
    metrics: Metrics
    readers: Readers
    housekeeping: Housekeeping
    live_workers: LiveWorkers

    @property
    def disk_free(self) -> int:
        """Bytes."""
        return shutil.disk_usage(self.settings.data).free

    @property
    def problems(self) -> list[str]:
        """What is wrong at the moment, in sentences."""
        found = []
        if self.disk_free < self.uploads.least_free:
            found.append("The disk with the service's data is nearly full; free some space.")
        if not self.settings.layout.reserve.exists():
            found.append("The disk is so full that the service uses its reserve.")
        return found


def build_core(settings: ServiceSettings) -> Core:
    """Open the store, mending what the last service left, and put everything together; nothing runs yet."""
    store, notes = open_store(settings.layout)
    for note in notes:
        LOG.warning("recovery", extra={"note": note})
    records, events, metrics, readers = Records(settings.layout.records), Events(), Metrics(), Readers()
    actors, checkers = Actors(), Checkers(settings.max_minutes * 60.0)
    uploads = Uploads(settings, store, checkers)
    dispatcher = Dispatcher(settings, store, records, events, metrics)
    return Core(
        settings=settings,
        store=store,
        actors=actors,
        checkers=checkers,
        uploads=uploads,
        requests=Requests(store, uploads, actors),
        jobs=Jobs(settings, store, records, actors, dispatcher),
        dispatcher=dispatcher,
        events=events,
        metrics=metrics,
        readers=readers,
        housekeeping=Housekeeping(settings, store, records, readers),
        live_workers=LiveWorkers(),
    )


@contextlib.asynccontextmanager
async def running(core: Core) -> AsyncIterator[None]:
    """Work while the block runs; then stop, with everything on the disk."""
    core.dispatcher.start()
    tidying = asyncio.create_task(core.housekeeping.run())
    try:
        yield
    finally:
        tidying.cancel()
        await core.dispatcher.stop()
        await core.checkers.stop()
        await core.live_workers.stop()
        with contextlib.suppress(StorageFull, OSError):
            core.store.database.back_up(core.settings.layout.backup)
        core.store.database.close()
