"""Fixtures that every test may use."""

import signal
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_configure() -> None:
    """Let processes that tests start hear the signals that a run in the background, or under nohup, ignores."""
    for name, handler in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, handler)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The development data beside the checkout; the test is skipped where it does not exist."""
    if not SHARED.is_dir():
        pytest.skip("the development data (../shared/data) is not on this machine")
    return SHARED
