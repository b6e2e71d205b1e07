"""Keeps the log lines of native libraries off the terminal."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_stderr(active: bool = True) -> Iterator[None]:
    """Send the process's standard error to nowhere for the duration of the block; blocks of several threads overlap.

    MediaPipe, absl and TensorFlow Lite write to file descriptor 2 before their log levels are read, so
    environment variables alone do not silence them. Python exceptions pass through unharmed.
    """
    os.environ.setdefault("GLOG_minloglevel", "3")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if not active:
        yield
        return
    _silence.enter()
    try:
        yield
    finally:
        _silence.leave()


class _Silence:
    """Standard error turned away while at least one block wants it so: the first turns it, the last turns it back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blocks = 0
        self._saved = -1

    def enter(self) -> None:
        with self._lock:
            if not self._blocks:
                sys.stderr.flush()
                self._saved = os.dup(2)
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, 2)
                os.close(nowhere)
            self._blocks += 1

    def leave(self) -> None:
        with self._lock:
            self._blocks -= 1
            if not self._blocks:
                sys.stderr.flush()
                os.dup2(self._saved, 2)
                os.close(self._saved)


_silence = _Silence()
