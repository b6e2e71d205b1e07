"""Runs the bake in a Blender of its own process, and passes on how far it is."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from backend.errors import EnvironmentProblem, MouthpieceError
from backend.progress import Progress

ROOT = Path(__file__).resolve().parents[1]
"""The folder that holds `blender_addon`."""
STOP_SECONDS = 3.0
"""Within which Blender must have removed what is half-written; it cannot while it renders, into a temporary folder."""
NOTE = "Note: "
"""What a person should know begins so among Blender's complaints."""


def run_blender(
    animation: Path,
    sound: Path,
    scenes: Sequence[Path],
    frames: Path | None,
    size: int,
    progress: Progress,
    character: Sequence[str] = (),
) -> None:
    """Bake an animation folder with its sound into `scenes`, and render `frames` (PNGs, size x size) if asked.

    character: the arguments that name a character to drive and its rig map; none for a new talking head.

    What was driven of a character, and what it lacks, is told as a message.

    Raises: EnvironmentProblem where there is no Blender; MouthpieceError with Blender's sentence where it failed.
    """
    command = [*blender_command(), "--animation", str(animation.resolve()), "--audio", str(sound), *character]
    for path in scenes:
        command += ["--out", str(path.resolve())]
    if frames is not None:
        command += ["--render", str(frames), "--size", str(size)]
    # A file, not a pipe: nobody reads it until the end, and a full pipe would stop Blender.
    with (
        tempfile.TemporaryDirectory(prefix="mouthpiece-") as own,
        tempfile.TemporaryFile("w+", errors="replace") as complaints,
    ):
        places = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), own)  # where nothing stays even of a Blender that was killed
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | places, stdout=subprocess.PIPE, stderr=complaints, text=True
        )
        try:
            error = _follow(process, progress)
            status = process.wait()
        finally:
            _end(process)
        complaints.seek(0)
        lines = complaints.read().strip().splitlines()
    if error or status:
        last = lines[-1] if lines else f"exit code {status}"
        raise MouthpieceError(error or f"Blender stopped while baking: {last}")
    for line in lines if character else ():
        if line.startswith(NOTE):
            progress(line.removeprefix(NOTE), 0, 0)


def _end(process: subprocess.Popen) -> None:
    """End Blender where it runs: kindly, so that it removes what is half-written, then at once."""
    process.terminate()
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
    finally:
        process.kill()
        process.wait()


def _follow(process: subprocess.Popen, progress: Progress) -> str | None:
    """Read the messages to their end; return the error among them, if any."""
    assert process.stdout is not None
    error = None
    for line in process.stdout:
        if not line.startswith("{"):
            continue  # Blender prints lines of its own
        message = json.loads(line)
        error = message.get("error", error)
        if "stage" in message:
            progress(message["stage"], message["done"], message["total"])
    return error


def blender_command() -> list[str]:
    """How to start the bake: with the bpy module of this environment, else with an installed Blender."""
    if find_spec("bpy"):
        return [sys.executable, "-m", "blender_addon.headless"]
    blender = shutil.which("blender")
    if blender:
        return [blender, "--background", "--factory-startup", "--python", str(ROOT / "blender_addon/headless.py"), "--"]
    raise EnvironmentProblem(
        "There is no Blender to bake with: install the bpy module (pip install bpy==5.0.1, on Python 3.11) or Blender."
    )
