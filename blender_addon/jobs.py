"""An animation made by the backend while Blender goes on: a thread that only puts messages on a queue; no bpy."""

import queue
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .animation import Animation, read_animation
from .client import Client, Job, JobFailed, ServiceError, ServiceUnreachable
from .errors import AddonError, BackendError

POLL_SECONDS = 0.15
PATIENCE = 6.0  # seconds a backend may be silent before the job is given up


@dataclass(frozen=True)
class AnimateRequest:
    """What to animate, and where the animation goes."""

    sound: Path
    actor: str
    name: str
    folder: Path
    """Becomes the animation's folder when everything has arrived; an older one is replaced."""
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Progress:
    """How far the job is. fraction: 0..1 of the stage; seconds_left: None while nobody knows."""

    stage: str
    fraction: float = 0.0
    seconds_left: float | None = None


@dataclass(frozen=True)
class Finished:
    """The job has ended: with an animation, with a sentence that says what went wrong, or cancelled with neither."""

    animation: Animation | None = None
    error: str = ""


class _Cancelled(Exception):
    """The person has changed their mind."""


class AnimateJob:
    """One job; `start` it, `poll` it from the main thread until a `Finished` comes."""

    def __init__(self, connect: Callable[[], Client], request: AnimateRequest) -> None:
        self._connect, self._request = connect, request
        self._messages: queue.SimpleQueue[Progress | Finished] = queue.SimpleQueue()
        self._cancel = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mouthpiece", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def cancel(self) -> None:
        """Ask the job to end; its `Finished` comes soon."""
        self._cancel.set()

    def poll(self) -> Iterator[Progress | Finished]:
        """The messages since the last call; never waits."""
        while not self._messages.empty():
            yield self._messages.get()

    def _run(self) -> None:
        try:
            end = Finished(animation=self._animate())
        except _Cancelled:
            end = Finished()
        except (ServiceError, AddonError) as error:
            end = Finished(error=str(error))
        except OSError as error:
            end = Finished(
                error=f"A file cannot be read or written: {error}. Check the path and the space on the disk."
            )
        except Exception as error:  # the main thread waits for an end, whatever happens
            end = Finished(error=f"The job failed unexpectedly: {type(error).__name__}: {error}")
        self._messages.put(end)

    def _say(self, stage: str, fraction: float = 0.0, seconds_left: float | None = None) -> None:
        if self._cancel.is_set():
            raise _Cancelled
        self._messages.put(Progress(stage, fraction, seconds_left))

    def _animate(self) -> Animation:
        request = self._request
        if not request.sound.is_file():
            raise BackendError(f"There is no sound at {request.sound}; choose an existing file.")
        self._say("starting the backend")
        client = self._connect()
        self._say("sending the sound")
        upload = client.upload(request.sound)
        self._say("waiting")
        job = client.animate(upload, request.actor, request.name, **request.options)
        self._follow(client, job)
        with _scratch(request.folder) as scratch:
            client.fetch_result(job, scratch / "result.zip", lambda done, total: self._say("fetching", done / total))
            shutil.unpack_archive(scratch / "result.zip", scratch / "result")
            read_animation(scratch / "result")  # nothing damaged takes the place of an older one
            self._say("baking", 1.0)
            if request.folder.exists():
                shutil.rmtree(request.folder)
            (scratch / "result").replace(request.folder)
        return read_animation(request.folder)

    def _follow(self, client: Client, job: Job) -> None:
        """Wait for the end of the job. Raises JobFailed, and BackendError where the backend falls silent."""
        heard = time.monotonic()
        while True:
            if self._cancel.wait(POLL_SECONDS):
                _give_up(client, job)
                raise _Cancelled
            try:
                state = client.job(job)
            except ServiceUnreachable:
                if time.monotonic() - heard > PATIENCE:
                    raise BackendError(
                        "The backend has stopped answering. Nothing was baked; press Animate to start it again."
                    ) from None
                continue
            heard = time.monotonic()
            if state.state == "done":
                return
            if state.ended:
                raise JobFailed(state.error or f"The job was {state.state}.", state)
            stage = state.stage or (f"waiting for {state.ahead} other jobs" if state.ahead else "waiting")
            self._say(stage, state.fraction, state.seconds_left)


def _give_up(client: Client, job: Job) -> None:
    try:
        client.cancel(job)
    except ServiceError:
        return  # it is gone, or has just ended: either way nobody works on it for us


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A hidden folder beside `folder` that is gone afterwards."""
    scratch = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}")
    scratch.mkdir(parents=True)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
