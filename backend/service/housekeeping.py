"""What is done every minute: old files go, the database is backed up, the reserve is put back."""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Iterator

from backend.service.problems import StorageFull
from backend.service.records import Records
from backend.service.settings import ServiceSettings
from backend.service.store import RESULT, UPLOAD, Store, StoredFile

LOG = logging.getLogger("mouthpiece.housekeeping")
PERIOD_SECONDS = 60.0
MOST_JOBS = 20_000
"""Ended jobs that are remembered."""
JUST_READ_SECONDS = 120.0
"""A file that was read this short a time ago stays, whatever the limits: its reader may ask for the next part."""


class Readers:
    """Which files are being read at this moment."""

    def __init__(self) -> None:
        self._open: Counter[tuple[str, str]] = Counter()

    @contextlib.contextmanager
    def reading(self, role: str, name: str) -> Iterator[None]:
        """Keep a file while the block runs."""
        self._open[role, name] += 1
        try:
            yield
        finally:
            self._open[role, name] -= 1

    def now(self) -> set[tuple[str, str]]:
        """Role and name of the files that are being read."""
        return {key for key, count in tuple(self._open.items()) if count > 0}


class Housekeeping:
    """Keeps the data folder within its limits."""

    def __init__(self, settings: ServiceSettings, store: Store, records: Records, readers: Readers) -> None:
        self._settings, self._store, self._records = settings, store, records
        self._layout, self._readers = settings.layout, readers
        self._last = time.monotonic()
        self._read_lately: set[tuple[str, str]] = set()

    async def run(self) -> None:
        """Once a minute, for ever."""
        while True:
            await asyncio.sleep(PERIOD_SECONDS)
            try:
                await asyncio.to_thread(self.tidy)
            except StorageFull:
                LOG.warning("the disk is full")
            except Exception:  # whatever it is, the next round tries again: nobody else would
                LOG.exception("housekeeping failed")

    def read(self, role: str, name: str) -> None:
        """Note that a file was read: it is young again."""
        self._read_lately.add((role, name))

    def tidy(self) -> None:
        """One round."""
        now = time.monotonic()
        passed, self._last = now - self._last, now
        fresh, self._read_lately = self._read_lately, set()
        self._store.grow_old(passed, fresh | self._readers.now())
        for file in self._choose_expired():
            self._expire(file)
        self._forget_jobs()
        if not self._store.database.keep_reserve():
            LOG.warning("the disk is nearly full")
        try:
            self._store.database.back_up(self._layout.backup)
        except Exception as error:  # whatever is wrong with the disk, the next round tries again
            LOG.warning("no backup", extra={"why": str(error)})

    def _choose_expired(self) -> list[StoredFile]:
        """Files too old, and the longest unread of those that are too much; none that is read or needed."""
        kept = self._readers.now() | {(UPLOAD, name) for name in self._store.needed_uploads()}
        files = self._store.files()
        total, limit = sum(file.size for file in files), self._settings.keep_gb * 1_000_000_000
        chosen = []
        for file in files:
            too_old = file.unread > self._settings.keep_days * 86_400
            too_much = total > limit and file.unread > JUST_READ_SECONDS
            if (too_old or too_much) and (file.role, file.name) not in kept:
                chosen.append(file)
                total -= file.size
        return chosen

    def _expire(self, file: StoredFile) -> None:
        # The row goes first: a row without its file would be a result that cannot be served.
        self._store.forget_file(file.role, file.name)
        path = self._layout.result(file.name) if file.role == RESULT else self._layout.upload(file.name)
        path.unlink(missing_ok=True)
        LOG.info("expired", extra={"role": file.role, "name_": file.name, "size": file.size})

    def _forget_jobs(self) -> None:
        old = self._store.ended_before(MOST_JOBS)
        if old:
            self._store.forget(old)
            for job_id in old:
                self._records.remove(job_id)
