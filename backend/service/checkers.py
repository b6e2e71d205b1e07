"""Processes with little memory and little time that look at files from outside before anything else does."""

import asyncio
import secrets
import shutil
from pathlib import Path
from typing import Any

from backend.service.problems import DISK_FULL, Busy, StorageFull, Unprocessable
from backend.service.process import WorkerDied, WorkerProcess

SECONDS = 120.0
"""Processor and wall-clock time for one file: an hour of compressed speech takes ten."""
MEMORY_MB = {"sound": 2048, "video": 4096, "actor": 6144}
"""Address space. An hour at 16 kHz is 230 MB, in the worst moment twice; torch alone asks for 800."""
PLACES = {"sound": 2, "video": 1, "actor": 1}
"""Processes for each kind of file."""
TASKS = {kind: f"check_{kind}" for kind in MEMORY_MB}
LONGEST_QUEUE = 64


class Checkers:
    """The checking processes of each kind, started when they are first needed."""

    def __init__(self, most_seconds: float) -> None:
        self._most_seconds = most_seconds
        self._free: dict[str, asyncio.Queue[WorkerProcess]] = {}
        self._all: list[WorkerProcess] = []
        self._waiting = 0
        for kind, places in PLACES.items():
            self._free[kind] = asyncio.Queue()
            for number in range(places):
                process = WorkerProcess(f"check-{kind}-{number}", MEMORY_MB[kind], niceness=2)
                self._all.append(process)
                self._free[kind].put_nowait(process)

    async def check(self, kind: str, path: Path, scratch: Path, **extra: Any) -> dict[str, Any]:
        """What the check of a file says. Raises Unprocessable with its sentence, Busy, StorageFull."""
        if self._waiting >= LONGEST_QUEUE:
            raise Busy("Many uploads wait to be looked at; try again.", 1)
        self._waiting += 1
        try:
            process = await self._free[kind].get()
        finally:
            self._waiting -= 1
        try:
            return await self._run(process, kind, path, scratch, extra)
        finally:
            self._free[kind].put_nowait(process)

    async def _run(
        self, process: WorkerProcess, kind: str, path: Path, scratch: Path, extra: dict[str, Any]
    ) -> dict[str, Any]:
        folder = scratch / f".check-{secrets.token_hex(8)}"
        task = {"task": TASKS[kind], "path": str(path), "folder": str(folder), "most_seconds": self._most_seconds}
        task |= {"processor_seconds": SECONDS, **extra}
        try:
            outcome = await process.run(task, lambda _: None, SECONDS, SECONDS)
        except WorkerDied as error:
            raise Unprocessable(f"The file cannot be used: reading it took too much ({error}).") from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if "finished" in outcome:
            return outcome["finished"]
        if outcome.get("disk_full"):
            raise StorageFull(DISK_FULL, 60)
        sentence = outcome.get("failed", "The check was cancelled.").replace(str(path), "The file")
        if outcome.get("unexpected"):
            sentence = f"The file cannot be used ({sentence})."
        raise Unprocessable(sentence)

    async def stop(self) -> None:
        """End all processes."""
        await asyncio.gather(*(process.stop() for process in self._all))
