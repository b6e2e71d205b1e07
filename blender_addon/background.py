"""Work in a thread that only puts messages on a queue, which the main thread takes when it likes; no bpy."""

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .client import ServiceError
from .errors import AddonError


@dataclass(frozen=True)
class Progress:
    """How far the work is. fraction: 0..1 of the stage; seconds_left: None while nobody knows."""

    stage: str
    fraction: float = 0.0
    seconds_left: float | None = None


@dataclass(frozen=True)
class Finished:
    """The work has ended: with a result, with a sentence that says what went wrong, or cancelled with neither."""

    result: Any = None
    error: str = ""


class Cancelled(Exception):
    """The person has changed their mind."""


class Background:
    """One piece of work; `start` it, `poll` it from the main thread until a `Finished` comes."""

    def __init__(self, work: Callable[["Background"], Any]) -> None:
        """work: runs in the thread, calls `say` often, and returns the result."""
        self._work = work
        self._messages: queue.SimpleQueue[Progress | Finished] = queue.SimpleQueue()
        self._cancel = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mouthpiece", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def cancel(self) -> None:
        """Ask the work to end; its `Finished` comes soon."""
        self._cancel.set()

    def poll(self) -> Iterator[Progress | Finished]:
        """The messages since the last call; never waits."""
        while not self._messages.empty():
            yield self._messages.get()

    def say(self, stage: str, fraction: float = 0.0, seconds_left: float | None = None) -> None:
        """Tell how far the work is. Raises Cancelled where it is to end. Called in the thread."""
        self.check()
        self._messages.put(Progress(stage, fraction, seconds_left))

    def check(self) -> None:
        """Raises Cancelled where the work is to end. Called in the thread."""
        if self._cancel.is_set():
            raise Cancelled

    def wait(self, seconds: float) -> bool:
        """Sleep in the thread; returns at once, and True, where the work is to end."""
        return self._cancel.wait(seconds)

    def _run(self) -> None:
        try:
            end = Finished(self._work(self))
        except Cancelled:
            end = Finished()
        except (ServiceError, AddonError) as error:
            end = Finished(error=str(error))
        except OSError as error:
            end = Finished(
                error=f"A file cannot be read or written: {error}. Check the path and the space on the disk."
            )
        except Exception as error:  # the main thread waits for an end, whatever happens
            end = Finished(error=f"The work failed unexpectedly: {type(error).__name__}: {error}")
        self._messages.put(end)
