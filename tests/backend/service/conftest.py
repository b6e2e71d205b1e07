"""One service for all tests that do not break it, and sounds that no other test has sent."""

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.backend.service.running import RunningService, make_sound, running_service


@pytest.fixture(scope="session")
def allowed(tmp_path_factory) -> Path:
    """A folder whose files the service may read."""
    return tmp_path_factory.mktemp("allowed").resolve()


@pytest.fixture(scope="session")
def service(allowed) -> Iterator[RunningService]:
    """A service that runs through all tests; its home lies where other users may go, unlike pytest's folders."""
    with tempfile.TemporaryDirectory(prefix="mouthpiece-test-") as home:
        Path(home).chmod(0o755)
        with running_service(Path(home), "--allow", str(allowed)) as service:
            yield service


@pytest.fixture(scope="session")
def new_sound() -> Callable[..., bytes]:
    """Return a function that makes a recording unlike all others."""
    numbers = itertools.count(os.getpid() % 1000 * 1000)
    return lambda seconds=1.0: make_sound(next(numbers), seconds)
