"""Runs the bake in a Blender of its own process, and passes on how far it is."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from backend.errors import EnvironmentProblem, MouthpieceError
from backend.progress import Progress
from backend.stopping import SIGNALS, stop_once

ROOT = Path(__file__).resolve().parents[1]
"""The folder that holds `blender_addon`."""
JOURNAL = "MOUTHPIECE_JOURNAL"
"""Environment variable: the file in which `blender_addon.staging` notes what is to be settled should Blender die."""
LEAST_FREE = 1 << 16
"""Bytes; where fewer are left on a disk, a Blender that died did so because it is full."""
NOTE = "Note: "
"""What a person should know begins so among Blender's complaints."""
MAC_APPLICATIONS = Path("/Applications")


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

    All scenes appear, or none, however Blender ends. An interrupt ends Blender, and is raised when it is settled.

    Raises: EnvironmentProblem where there is no Blender; MouthpieceError with Blender's sentence where it failed.
    """
    command = [*blender_command(), "--animation", str(animation.resolve()), "--audio", str(sound), *character]
    for path in scenes:
        command += ["--out", str(path.resolve())]
    if frames is not None:
        command += ["--render", str(frames), "--size", str(size)]
    # A file, not a pipe: nobody reads it until the end, and a full pipe would stop Blender.
    with (
        tempfile.TemporaryDirectory(prefix="mouthpiece-", ignore_cleanup_errors=True) as own,
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints,
    ):
        places = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), own)  # where nothing stays even of a Blender that was killed
        journal = Path(own) / "journal"
        environment = os.environ | places | {JOURNAL: str(journal), "PYTHONIOENCODING": "utf-8:replace"}
        with _interrupts() as interrupts:
            pipes: Any = {"stdout": subprocess.PIPE, "stderr": complaints, "encoding": "utf-8", "errors": "replace"}
            process = subprocess.Popen(command, cwd=ROOT, env=environment, **pipes)
            try:
                interrupts.end(process)
                error = _follow(process, progress)
                status = process.wait()
            finally:
                process.kill()
                process.wait()
                full = [path.resolve() for path in scenes if path.parent.is_dir() and _is_full(path.parent)]
                _settle(journal)
        complaints.seek(0)
        lines = complaints.read().strip().splitlines()
    if status and not error and full:
        names = ", ".join(map(str, full))
        raise MouthpieceError(f"There is no space left on the disk to write {names}; free some, or use another disk.")
    if error or status:
        last = lines[-1] if lines else f"exit code {status}"
        raise MouthpieceError(error or f"Blender stopped while baking: {last}")
    for line in lines if character else ():
        if line.startswith(NOTE):
            progress(line.removeprefix(NOTE), 0, 0)


class _Interrupts:
    """A signal handler that ends a process instead of breaking in anywhere, however often it is called."""

    def __init__(self) -> None:
        self.came: int | None = None
        """The last signal."""
        self._process: subprocess.Popen | None = None

    def __call__(self, number: int, _: object) -> None:
        self.came = number
        if self._process is not None:
            self._process.kill()

    def end(self, process: subprocess.Popen) -> None:
        """Say which process is to be ended; at once where an interrupt has come already."""
        self._process = process
        if self.came is not None:
            process.kill()


@contextmanager
def _interrupts() -> Iterator[_Interrupts]:
    """Keep interrupts (Ctrl-C, and signals that are handled as it is) back until the end, then raise them as one."""
    handler = _Interrupts()
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.getsignal(number) for number in SIGNALS}
    before = {number: own for number, own in before.items() if own in (stop_once, signal.default_int_handler)}
    for number in before:
        signal.signal(number, handler)
    try:
        yield handler
    finally:
        for number, own in before.items():
            signal.signal(number, own)
        if handler.came is not None:
            before[handler.came](handler.came, None)


def _is_full(folder: Path) -> bool:
    return shutil.disk_usage(folder).free < LEAST_FREE


def _settle(journal: Path) -> None:
    """Finish, or take back, what a Blender that has ended was moving into place."""
    if not journal.exists():
        return
    command = [sys.executable, "-m", "blender_addon.staging", str(journal)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        # A Ctrl-C is not for this process: it goes to all of a terminal's.
        start_new_session=os.name != "nt",
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1]
        raise MouthpieceError(f"What Blender left half-written cannot be removed ({last}); remove it by hand.")


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
    blender = find_blender()
    if blender:
        return [blender, "--background", "--factory-startup", "--python", str(ROOT / "blender_addon/headless.py"), "--"]
    raise EnvironmentProblem(
        "There is no Blender to bake with: install Blender, or on Python 3.11 or 3.13 its module "
        f"({sys.executable} -m pip install -r {ROOT / 'requirements' / 'blender.txt'})."
    )


def find_blender(platform: str = sys.platform) -> str | None:
    """The program of an installed Blender: in the PATH, else the newest where its installers put it."""
    found = shutil.which("blender")
    if found:
        return found
    places: list[Path] = []
    if platform == "win32":
        folder = Path(os.environ.get("PROGRAMFILES", r"C:\Program Files"))
        places = list(folder.glob("Blender Foundation/Blender */blender.exe"))
    elif platform == "darwin":
        places = list(MAC_APPLICATIONS.glob("Blender*.app/Contents/MacOS/Blender"))
    newest = max(places, key=lambda place: [int(number) for number in re.findall(r"\d+", str(place))], default=None)
    return None if newest is None else str(newest)
