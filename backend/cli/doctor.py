"""Check this computer: Python, libraries, codecs, Blender, folders; with the command that mends each fault."""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

TIMEOUT = 120
"""Seconds that the import of one library may take on a slow disk."""
ROOT = Path(__file__).resolve().parents[2]
EXIT = "\nimport os, sys; sys.stdout.flush(); os._exit(0)"
"""Ends a probe without the interpreter's own exit, in which bpy may hang."""


@dataclass(frozen=True)
class Finding:
    """One checked thing. state: "good", "missing" (something optional), or "broken"; fix: what to do about it."""

    what: str
    state: str
    detail: str
    fix: str = ""


@dataclass(frozen=True)
class Library:
    """A library to import in a process of its own."""

    name: str
    probe: str
    requirements: str
    purpose: str
    needed: bool = True


LIBRARIES = (
    Library("numpy", "import numpy; print(numpy.__version__)", "inference", "everything"),
    Library("scipy", "import scipy.signal; print(scipy.__version__)", "inference", "everything"),
    Library("torch", "import torch; print(torch.__version__)", "inference", "the networks"),
    Library("safetensors", "import safetensors.torch as s; print(s.__name__)", "inference", "actor files"),
    Library("pillow", "import PIL.Image; print(PIL.__version__)", "inference", "pictures"),
    Library(
        "av",
        "import av; print(av.__version__); [av.codec.Codec(n, 'w') for n in ('libx264', 'aac')];"
        "[av.codec.Codec(n) for n in ('h264', 'aac', 'mp3', 'flac', 'vorbis')]",
        "inference",
        "sound and video, with their codecs",
    ),
    Library(
        "fastapi",
        "import fastapi, uvicorn, websockets; print(fastapi.__version__)",
        "service",
        "the service (mouthpiece serve)",
        False,
    ),
    Library("bpy", "import bpy; print(bpy.app.version_string)", "blender", ".blend, .glb and .mp4 files", False),
    Library(
        "pocketsphinx",
        "import pocketsphinx; print('with its English model')",
        "speech",
        "--transcript in English",
        False,
    ),
    Library("sounddevice", "import sounddevice; print(sounddevice.__version__)", "live", "the microphone", False),
    Library("cv2", "import cv2; print(cv2.__version__)", "training", "training", False),
    Library(
        "mediapipe",
        "import mediapipe; from mediapipe.python.solutions import face_mesh; print(mediapipe.__version__)",
        "training",
        "training",
        False,
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments: none."""


def run(options: argparse.Namespace) -> int:
    """Print what was found; return 1 where something needed is broken."""
    findings = examine()
    for finding in findings:
        print(f"{finding.state:8} {finding.what:18} {finding.detail}")
        if finding.fix:
            print(f"{'':8} {'':18} -> {finding.fix}")
    broken = sum(finding.state == "broken" for finding in findings)
    print(f"{broken} of {len(findings)} checks failed." if broken else "All that is needed works.")
    return 1 if broken else 0


def examine() -> list[Finding]:
    """Make all checks; libraries are imported side by side."""
    with ThreadPoolExecutor(4) as pool:
        libraries = list(pool.map(check_library, LIBRARIES))
    return [
        check_python(),
        *libraries,
        check_system(),
        check_espeak(),
        check_actors(),
        *check_folders(),
        check_service(),
    ]


def check_python() -> Finding:
    """Compare the running interpreter with the supported versions."""
    version = ".".join(map(str, sys.version_info[:3]))
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        return Finding("python", "good", f"{version} ({sys.executable})")
    return Finding("python", "broken", version, "install Python 3.11 and run: python3.11 build.py setup")


def check_library(library: Library) -> Finding:
    """Import a library in its own process."""
    command = [sys.executable, "-c", library.probe + EXIT]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return Finding(library.name, "broken", f"its import takes longer than {TIMEOUT} s", _install(library))
    if done.returncode == 0:
        return Finding(library.name, "good", done.stdout.strip().split("\n")[-1])  # bpy may log before it
    reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    if not library.needed and f"No module named '{library.name}'" in reason:
        return Finding(library.name, "missing", f"only needed for {library.purpose}", _install(library))
    return Finding(library.name, "broken", f"{reason} (needed for {library.purpose})", _install(library))


def _install(library: Library) -> str:
    if (ROOT / "build.py").is_file() and library.requirements != "live":  # which build.py leaves to who wants it
        return f"python3 build.py setup --only {library.requirements}"
    flags = "--no-deps " if library.requirements in ("training", "speech") else ""
    return f"{sys.executable} -m pip install {flags}-r requirements/{library.requirements}.txt"


def check_system() -> Finding:
    """Look for the shared libraries that Blender links to."""
    from backend.system_libraries import install_command, missing_libraries

    missing = missing_libraries()
    if not missing:
        return Finding("system libraries", "good", "all that Blender links to")
    return Finding("system libraries", "missing", f"Blender needs {', '.join(missing)}", install_command(missing))


def check_espeak() -> Finding:
    """Let espeak-ng say a word."""
    from backend.errors import EnvironmentProblem
    from backend.speech.espeak import speak

    try:
        speak("mouth")
    except EnvironmentProblem as error:
        return Finding(
            "espeak-ng", "missing", "only needed for --text, and --transcript in other languages", str(error)
        )
    return Finding("espeak-ng", "good", "it speaks")


def check_actors() -> Finding:
    """Read the descriptions and digests of all actors."""
    from backend.actor_file import read_description
    from backend.actor_library import list_actors
    from backend.errors import ActorError

    names = []
    for folder in list_actors():
        try:
            read_description(folder)
        except ActorError as error:
            return Finding("actors", "broken", str(error), f"delete {folder} or get it again")
        names.append(folder.name)
    if not names:
        return Finding("actors", "broken", "there is none", "mouthpiece train VIDEO --actor NAME --consent FILE")
    return Finding("actors", "good", ", ".join(names))


def check_service() -> Finding:
    """Ask the running service, if there is one, how it is."""
    from backend.actor_library import user_home
    from backend.service.client import Client, ServiceError
    from backend.service.lock import read_note

    home = user_home()
    if read_note(home / "service.json") is None:
        return Finding("service", "good", "not running; start it with: mouthpiece serve")
    try:
        client = Client.find(home, timeout=10)
        status = client.status()
    except ServiceError as error:
        return Finding("service", "broken", str(error), "stop it where it still runs, then: mouthpiece serve")
    waiting = status["jobs"]["queued"]
    detail = f"{status['version']} at {client.url}, {waiting} jobs waiting, {status['disk_free'] / 1e9:.1f} GB free"
    if status["problems"]:
        return Finding("service", "broken", f"{detail}. {' '.join(status['problems'])}", "free space on its disk")
    return Finding("service", "good", detail)


def check_folders() -> list[Finding]:
    """Try to write where Mouthpiece keeps its data and its temporary files."""
    from backend.actor_library import HOME_VARIABLE, user_home

    checks: list[tuple[str, Callable[[], Path], str]] = [
        ("your data", user_home, f"set {HOME_VARIABLE} to a folder you can write to"),
        ("temporary files", lambda: Path(tempfile.gettempdir()), "set TMPDIR to a folder you can write to"),
    ]
    return [_check_folder(what, place(), fix) for what, place, fix in checks]


def _check_folder(what: str, folder: Path, fix: str) -> Finding:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            return Finding(what, "good", str(folder))
    except OSError as error:
        return Finding(what, "broken", f"{folder} cannot be written: {error.strerror}", fix)
