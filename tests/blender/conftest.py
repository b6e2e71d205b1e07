"""Fixtures that run code in Blender, each time in a fresh process with a time limit."""

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 400  # seconds for one process; one takes a few, ten times that on a busy machine


@pytest.fixture(scope="session")
def need_blender() -> None:
    """Skip where there is no Blender."""
    if find_spec("bpy") is None:
        pytest.skip("Blender's Python module (bpy) is not installed")


@pytest.fixture
def blender(need_blender, tmp_path: Path) -> Callable:
    """`blender(function, **arguments)`: run a module-level function in an empty Blender; JSON goes in and out."""

    def run(function: Callable, **arguments):
        result = tmp_path / f"{function.__name__}.result.json"
        command = [sys.executable, "-m", "tests.blender.process", function.__module__, function.__name__]
        done = subprocess.run(
            [*command, json.dumps(arguments, default=str), str(result)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
        assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        return json.loads(result.read_text(encoding="utf-8"))

    return run


@pytest.fixture(scope="session")
def headless(need_blender) -> Callable:
    """`headless(*arguments)`: the windowless command; (exit status, JSON lines, standard error)."""

    def run(*arguments) -> tuple[int, list[dict], str]:
        done = subprocess.run(
            [sys.executable, "-m", "blender_addon.headless", *map(str, arguments)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    return run
