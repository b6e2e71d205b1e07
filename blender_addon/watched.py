"""Commands that end with Blender, however it ends: started through watch.py, ended by closing their input; no bpy."""

import os
import subprocess
from pathlib import Path
from typing import Any

WATCH = Path(__file__).with_name("watch.py")
END_SECONDS = 15.0


def start_watched(
    python: str, command: list[str], folder: Path, stdout: Any, stderr: Any = subprocess.STDOUT
) -> subprocess.Popen:
    """Start a command in a folder; `python` runs what watches it."""
    return subprocess.Popen(
        [python, str(WATCH), *command],
        cwd=folder,
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=stderr,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def end_watched(process: subprocess.Popen, seconds: float = END_SECONDS) -> None:
    """Let a command end in good order, with what it has started; after some seconds in any."""
    if process.stdin is not None:
        process.stdin.close()  # what watch.py waits for
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def clean_environment() -> dict[str, str]:
    """This process's environment without what points Python at Blender's own library."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    return kept | {"PYTHONNOUSERSITE": "1", "PIP_USER": "0", "PYTHONUTF8": "1"}
