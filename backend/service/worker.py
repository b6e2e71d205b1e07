"""The worker process: does one task after the other, keeping libraries and actors loaded.

Started by the service as `python -m backend.service.worker`; speaks `backend.service.protocol`.
"""

import argparse
import errno
import gc
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from backend.errors import Cancelled, MouthpieceError
from backend.service.protocol import Channel, die_with_parent, limit_process, limit_processor

LEAST_FREE_BYTES = 1 << 20
"""Below this any error of a job is put down to the full disk."""
MOST_MESSAGES = 20.0
"""Progress messages a second."""


class Reporter:
    """The progress callback of a task: tells the service, and stops the task when it was cancelled."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._stage, self._sent = "", 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Progress as in `backend.progress`."""
        if self._channel.cancelled.is_set():
            raise Cancelled("The job was cancelled.")
        if total == 0:
            self._channel.send({"warning": stage})
            return
        now = time.monotonic()
        if stage != self._stage or done == total or now - self._sent > 1 / MOST_MESSAGES:
            self._stage, self._sent = stage, now
            self._channel.send({"stage": stage, "done": done, "total": total})


def do_task(channel: Channel, task: dict[str, Any]) -> dict[str, Any]:
    """Do one task; returns what the service is told of its end."""
    from backend.service.tasks import TASKS

    folder = Path(task["folder"])
    try:
        limit_processor(task.get("processor_seconds"))
        _use_scratch(folder)
        if task["task"] == "live":
            from backend.service.live_task import live_task

            return {"finished": live_task(task, channel)}
        return {"finished": TASKS[task["task"]](task, Reporter(channel))}
    except Cancelled:
        return {"cancelled": True}
    except MemoryError:
        return {"failed": "There was not enough memory for this; the recording may be too long, or the file hostile."}
    except Exception as error:
        return _failure(folder, error)
    finally:
        limit_processor(None)
        if task["task"] == "train":  # its dataset is held by cycles, and Windows removes no file that is open
            gc.collect()


def without_places(sentence: str, folder: Path) -> str:
    """A sentence without the service's own folders in it."""
    places = (folder / "input", folder / "result", folder)
    for place in places:
        sentence = sentence.replace(f"{place}{os.sep}", "")
    return sentence.replace(str(folder), "the job's folder")


def _use_scratch(folder: Path) -> None:
    """Temporary files, also those of Blender, go into the job's own folder and vanish with it."""
    scratch = folder / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    tempfile.tempdir = os.environ["TMPDIR"] = str(scratch)


def _failure(folder: Path, error: Exception) -> dict[str, Any]:
    """What the service is told of an error, and whether a full disk or nothing foreseen was its cause."""
    if _is_full(folder, error):
        sentence = "The disk with the service's data is full; free some space and retry the job."
        return {"failed": sentence, "disk_full": True}
    said = without_places(str(error), folder)
    if isinstance(error, MouthpieceError):
        return {"failed": said}
    return {"failed": f"unexpected {type(error).__name__}: {said[:300]}", "unexpected": True}


def _is_full(folder: Path, error: Exception) -> bool:
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return full or shutil.disk_usage(folder).free < LEAST_FREE_BYTES


def main() -> None:
    """Serve tasks until the service is gone."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--memory-mb", type=int, required=True)
    parser.add_argument("--niceness", type=int, default=5)
    parser.add_argument("--warm", action="store_true")
    options = parser.parse_args()
    die_with_parent()
    channel = Channel()
    limit_process(options.memory_mb, options.niceness)
    if options.warm:
        from backend.service.tasks import warm_up

        warm_up()
    channel.send({"ready": os.getpid()})
    for task in channel.tasks():
        channel.send(do_task(channel, task))


if __name__ == "__main__":
    main()
