"""Keeps the log lines of native libraries off the terminal."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_stderr(active: bool = True) -> Iterator[None]:
    """Send the process's standard error to nowhere for the duration of the block.

    MediaPipe, absl and TensorFlow Lite write to file descriptor 2 before their log levels are read, so
    environment variables alone do not silence them. Python exceptions pass through unharmed.
    """
    os.environ.setdefault("GLOG_minloglevel", "3")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if not active:
        yield
        return
    sys.stderr.flush()
    saved = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)
