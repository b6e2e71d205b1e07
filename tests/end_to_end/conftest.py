"""The main job, run once with the shipped actor and the shipped sample, for every test that looks at its results."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "backend" / "samples" / "speech.flac"


def run_command(*arguments: object, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """Run the real command line."""
    command = [sys.executable, "-m", "backend", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, env=environment)


@pytest.fixture(scope="session")
def animated(tmp_path_factory) -> Path:
    """Folder with the animation of the sample: `animation/` and `weights.csv`; needs no Blender."""
    folder = tmp_path_factory.mktemp("animated")
    done = run_command(
        "animate", SAMPLE, "--actor", "default", "--out", folder / "animation", "--out", folder / "weights.csv"
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def filmed(tmp_path_factory) -> Path:
    """Folder with everything the demo writes for the sample: `animation/`, `shot.blend`, `shot.glb`, `shot.mp4`."""
    if find_spec("bpy") is None:
        pytest.skip("Blender's Python module (bpy) is not installed")
    folder = tmp_path_factory.mktemp("filmed")
    outputs = [folder / name for name in ("animation", "shot.blend", "shot.glb", "shot.mp4")]
    flags = [word for path in outputs for word in ("--out", path)]
    done = run_command("animate", SAMPLE, "--actor", "default", "--size", 384, *flags)
    assert done.returncode == 0, done.stderr
    assert all(str(path) in done.stdout for path in outputs)  # it says what it wrote
    return folder
