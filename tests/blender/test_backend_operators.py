"""Operators of the backend leave Blender's window alone while a backend takes its time."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.blender


def press(environment: str) -> dict:
    """Begin what stops the backend first, with a backend that ends only when it is let, and without a Python."""
    import threading
    import time

    import bpy

    from blender_addon import backend_operators

    may_end, found = threading.Event(), {}
    backend_operators.BACKEND.stop = lambda: may_end.wait(5)
    backend_operators.set_up_request = lambda context: None
    backend_operators.set_up = lambda background, request: "made"
    for name in ("set_up_backend", "remove_backend", "stop_backend"):
        may_end.clear()
        work = getattr(backend_operators, f"MOUTHPIECE_OT_{name}").begin(None, bpy.context)
        time.sleep(0.3)
        work.pump()
        there = Path(environment).exists()
        may_end.set()
        found[name] = [work.progress.stage, there, work.run().failed]
    return found | {"removed": not Path(environment).exists()}


def test_a_backend_that_ends_slowly_holds_nothing_up(blender, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("MOUTHPIECE_HOME", str(tmp_path))
    environment = tmp_path / "blender_backend/environment"
    environment.mkdir(parents=True)
    found = blender(press, environment=environment)
    stopping = "stopping the backend"
    assert found == {
        "set_up_backend": [stopping, True, False],
        "remove_backend": [stopping, True, False],
        "stop_backend": [stopping, False, False],
        "removed": True,
    }
