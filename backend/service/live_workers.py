"""The processes for live sound."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from backend.service.problems import Busy
from backend.service.process import WorkerProcess

SESSIONS = 2
"""Voices at the same time."""
MEMORY_MB = 6144


class LiveWorkers:
    """The processes for live sound, started when they are first needed and kept warm after."""

    def __init__(self) -> None:
        self._all = [WorkerProcess(f"live-{number}", MEMORY_MB, niceness=0) for number in range(SESSIONS)]
        self._free = list(self._all)

    @contextlib.asynccontextmanager
    async def one(self) -> AsyncIterator[WorkerProcess]:
        """A worker for one session. Raises Busy."""
        if not self._free:
            raise Busy(f"{SESSIONS} live sessions are open, which is all there is room for.", 5)
        worker = self._free.pop()
        try:
            yield worker
        finally:
            self._free.append(worker)

    async def stop(self) -> None:
        """End the processes."""
        await asyncio.gather(*(worker.stop() for worker in self._all))
