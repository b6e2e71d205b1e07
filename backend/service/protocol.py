"""What the service and its worker processes say to each other: one JSON object a line."""

import contextlib
import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Channel:
    """The worker's end: tasks come in, progress and outcomes go out.

    It takes over standard input and output; whatever a library prints goes to standard error. When the service is
    gone, the worker ends itself and everything that it started.
    """

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
        self._in = os.fdopen(os.dup(0), "r", encoding="utf-8")
        os.dup2(2, 1)
        with open(os.devnull) as nothing:  # noqa: PTH123  # a descriptor is wanted, not a path
            os.dup2(nothing.fileno(), 0)
        self._lock = threading.Lock()
        self._tasks: queue.Queue[dict[str, Any]] = queue.Queue()
        self._pieces: queue.Queue[dict[str, Any]] = queue.Queue()
        self.cancelled = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def send(self, message: dict[str, Any]) -> None:
        """Tell the service something."""
        with self._lock:
            self._out.write(json.dumps(message) + "\n")

    def tasks(self) -> Iterator[dict[str, Any]]:
        """What there is to do, for ever."""
        while True:
            yield self._tasks.get()

    def pieces(self) -> Iterator[dict[str, Any]]:
        """What belongs to the task that is being done, as it comes, until the task is cancelled."""
        while not self.cancelled.is_set():
            yield self._pieces.get()

    def _listen(self) -> None:
        for line in self._in:
            message = json.loads(line)
            if "cancel" in message:
                self.cancelled.set()
                self._pieces.put({})
            elif "piece" in message:
                self._pieces.put(message["piece"])
            else:
                self._pieces = queue.Queue()
                self.cancelled.clear()
                self._tasks.put(message)
        end_process_group()


def end_process_group() -> None:
    """End this process and its children at once."""
    if os.name != "nt":
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def die_with_parent() -> None:
    """On Linux the kernel ends this process when its parent ends, even while it is deep in a library."""
    if sys.platform == "linux":
        import ctypes

        set_parent_death_signal = 1  # PR_SET_PDEATHSIG
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


def limit_process(memory_mb: int, niceness: int) -> None:
    """Bound the memory of this process and its children, and let the service answer first."""
    if os.name == "nt":
        return
    import resource

    size = memory_mb << 20
    # CUDA reserves more addresses than any bound would leave it, and macOS takes no such bound.
    if not Path("/dev/nvidiactl").exists():
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(niceness)


def limit_processor(seconds: float | None) -> None:
    """Bound the processor time that this process may still use; None takes the bound away."""
    if os.name == "nt":
        return
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = resource.RLIM_INFINITY if seconds is None else int(usage.ru_utime + usage.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
