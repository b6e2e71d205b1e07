"""What the tests share that animate through the real backend: a user without one, and sounds to animate."""

from pathlib import Path

import pytest

from tests.backend.service.running import make_sound

ROOT = Path(__file__).resolve().parents[2]


def new_user(folder: Path, monkeypatch) -> Path:
    """A user without a backend, whose data lie in the folder; returns it. Skips where none could be started."""
    if not (ROOT / ".venv").is_dir():
        pytest.skip("this checkout has no environment of its own to start a backend with")
    monkeypatch.setenv("MOUTHPIECE_HOME", str(folder / "home"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return folder


def write_sound(path: Path, number: int, seconds: float) -> str:
    """Write a recording, another one for each number; returns its path."""
    path.write_bytes(make_sound(number, seconds))
    return str(path)
