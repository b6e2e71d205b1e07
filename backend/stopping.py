"""Ctrl-C, `kill` and a terminal that is closed: each ends the work in the same way, and once."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_DEFAULTS = {"SIGINT": signal.default_int_handler, "SIGTERM": signal.SIG_DFL, "SIGHUP": signal.SIG_DFL}
SIGNALS = tuple(getattr(signal, name) for name in _DEFAULTS if hasattr(signal, name))


def stop_once(*_: Any) -> None:
    """Signal handler: raises KeyboardInterrupt, and lets no further signal break into the tidying that follows."""
    for number in SIGNALS:
        if signal.getsignal(number) is stop_once:
            signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


@contextmanager
def stopped_once(ends: bool) -> Iterator[None]:
    """Handle the signals by `stop_once`, save those that somebody else handles or ignores, as nohup does.

    ends: whether the process ends with what is done here; a signal in its last moments then changes nothing.
    """
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            if signal.getsignal(number) is _DEFAULTS[number.name]:
                before[number] = signal.signal(number, stop_once)
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is stop_once:  # once stopped, it stays so to the end of the process
                signal.signal(number, signal.SIG_IGN if ends else handler)
