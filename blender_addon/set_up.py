"""Makes the backend's environment from what the extension carries: a venv, and pip; needs no Blender.

The folder holds `environment` (the venv), `set_up.log`, and in the environment a stamp that is written last: without
it the environment is unfinished and counts as not there.
"""

import hashlib
import json
import re
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from .background import Background
from .errors import BackendError
from .long_paths import check_length
from .python_finder import FoundPython, find_python
from .renaming import move, remove_tree
from .watched import end_watched, start_watched

BUNDLE = Path(__file__).with_name("bundle")
"""What the zip carries: the backend's sources, the actors, the requirement files."""
STAMP = "mouthpiece-set-up.json"
LOG = "set_up.log"
GROUPS = ("inference", "service", "speech", "live")
ALONE = ("speech", "training")
"""Groups whose files are complete, and say why what their packages declare must not be pulled in."""
SHARES = {
    "inference": (0.05, 0.75, 26),
    "service": (0.75, 0.9, 16),
    "speech": (0.9, 0.92, 1),
    "live": (0.92, 0.93, 3),
    "training": (0.93, 1, 12),
}
"""Of each group: where its part of the progress begins and ends, and how many packages it is about."""
PROBE = "import torch, av, scipy, safetensors, fastapi, uvicorn, websockets, backend.service.app"
NEEDED_BYTES = 3_000_000_000
POLL_SECONDS = 0.15
REASONS = (
    (r"No space left|Errno 28|not enough space", "the disk is full: free some space"),
    (r"CERTIFICATE_VERIFY_FAILED", "the network's certificate is not trusted: set PIP_CERT, as your network asks for"),
    (
        r"name resolution|Name or service not known|getaddrinfo|NewConnectionError|ConnectTimeout|unreachable"
        r"|Connection refused|ReadTimeout|ProxyError|Connection aborted|Connection reset",
        "the package index cannot be reached: check the network",
    ),
    (r"Windows Long Path support", "the paths get too long for Windows: allow long paths, or use a shorter folder"),
    (r"No matching distribution found for (\S+)", "there is no package {} for this Python and system"),
)
"""What pip writes, and what that means."""


@dataclass(frozen=True)
class SetUpRequest:
    """What to make, and where."""

    folder: Path
    bundle: Path = BUNDLE
    python: str = ""
    """Program of the Python to use; found by itself where it is empty."""
    training: bool = False
    """Also what training and inspecting videos needs."""

    @property
    def groups(self) -> tuple[str, ...]:
        """The requirement files that are installed."""
        return (*GROUPS, "training") if self.training else GROUPS


def environment_python(folder: Path) -> Path:
    """The environment's interpreter; it may not exist."""
    return folder / "environment" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def state(folder: Path, bundle: Path = BUNDLE) -> tuple[bool, str]:
    """(whether the environment can be used, how it is in one sentence); looks at two small files only."""
    if not (bundle / "backend").is_dir():
        return False, "This add-on carries no backend; choose a backend folder, or install the extension's zip"
    stamp = read_stamp(folder)
    if stamp is None:
        unfinished = (folder / "environment").exists()
        return False, "The set-up was not finished; press Set Up Backend" if unfinished else "Not set up"
    if not environment_python(folder).exists():
        return False, "The Python that the backend was set up with is gone; press Set Up Backend"
    if stamp.get("requirements") != fingerprint(bundle, tuple(stamp.get("groups", ()))):
        return False, "The add-on was updated, and its backend was not; press Set Up Backend"
    return True, f"Set up with Python {stamp.get('python')}"


def read_stamp(folder: Path) -> dict | None:
    """What the environment was made of; None where it is missing or unfinished."""
    try:
        stamp = json.loads((folder / "environment" / STAMP).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return stamp if isinstance(stamp, dict) else None


def fingerprint(bundle: Path, groups: tuple[str, ...]) -> str:
    """Digest of some requirement files; empty where one is missing."""
    try:
        texts = [(bundle / "requirements" / f"{group}.txt").read_bytes() for group in groups]
    except OSError:
        return ""
    return hashlib.sha256(b"\0".join(texts)).hexdigest()


def set_up(background: Background, request: SetUpRequest) -> str:
    """Make the environment anew; returns a sentence. Raises BackendError; an unfinished environment is taken away."""
    started = time.monotonic()
    background.say("looking for Python")
    python = find_python(request.python, request.training)
    environment = request.folder / "environment"
    check_length(request.folder)
    check_space(request.folder)
    remove_environment(request.folder)
    try:
        _make(background, request, python)
    except BaseException:
        remove_tree(environment)
        raise
    version = f"{python.version[0]}.{python.version[1]}"
    about = {"requirements": fingerprint(request.bundle, request.groups), "groups": request.groups, "python": version}
    (environment / STAMP).write_text(json.dumps(about), "utf-8")
    return f"The backend is set up in {environment} with Python {version} ({time.monotonic() - started:.0f} s)"


def remove_environment(folder: Path) -> None:
    """Remove the environment whole. Raises BackendError, and leaves all of it, where it is in use (on Windows)."""
    environment, old = folder / "environment", folder / "old"
    remove_tree(old)
    try:
        if environment.exists():
            move(environment, old)
    except OSError as error:
        raise BackendError(
            f"{environment} is in use ({error.strerror}); close what runs from it, other Blenders too, and try again."
        ) from None
    remove_tree(old)


def check_space(folder: Path) -> None:
    """Make the folder. Raises BackendError where it cannot be made, or its disk is too full."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise BackendError(f"The folder {folder} cannot be made: {error.strerror}.") from error
    if free < NEEDED_BYTES:
        raise BackendError(
            f"The disk of {folder} has {free / 1e9:.1f} GB left, and the backend needs about {NEEDED_BYTES / 1e9:.0f}; "
            "free some space and try again."
        )


def _make(background: Background, request: SetUpRequest, python: FoundPython) -> None:
    log = request.folder / LOG
    log.write_text(f"Mouthpiece's backend with {' '.join(python.command)}\n", "utf-8")
    runner = _Runner(background, log, request.bundle)
    runner.run([*python.command, "-m", "venv", str(request.folder / "environment")], "making the environment", 0, 0.05)
    own = str(environment_python(request.folder))
    for group in request.groups:
        first, last, packages = SHARES[group]
        alone = ["--no-deps"] if group in ALONE else []
        options = ["--disable-pip-version-check", "--no-input", "--no-color", "--progress-bar", "off"]
        place = str(request.bundle / "requirements" / f"{group}.txt")
        command = [own, "-m", "pip", "install", *options, "--only-binary", ":all:", *alone, "-r", place]
        runner.run(command, f"installing {group}", first, last, packages)
    runner.run([own, "-c", PROBE], "trying the libraries", 0.98, 1.0)


class _Runner:
    """Runs commands whose words go to the log, which tells how far they are."""

    def __init__(self, background: Background, log: Path, folder: Path) -> None:
        self._background, self._log, self._folder = background, log, folder

    def run(self, command: list[str], stage: str, first: float, last: float, packages: int = 1) -> None:
        """Run one command to its end. Raises Cancelled, and BackendError where it fails."""
        self._background.say(stage, first)
        with self._log.open("ab") as output:
            output.write(f"\n> {' '.join(command)}\n".encode())
            output.flush()
            begun = output.tell()
            python = sys.executable if _is_python(sys.executable) else command[0]
            process = start_watched(python, command, self._folder, output)
        try:
            while process.poll() is None:
                said = self._said(begun)
                part = min(1.0, said.count("Collecting ") / packages)
                self._background.say(f"{stage}{_newest(said)}", first + (last - first) * part)
                self._background.wait(POLL_SECONDS)
        finally:
            end_watched(process)
        if process.returncode != 0:
            raise BackendError(f"{stage.capitalize()} failed: {explain(self._said(begun))}; the log is {self._log}.")

    def _said(self, begun: int) -> str:
        with self._log.open("rb") as file:
            file.seek(begun)
            return file.read().decode("utf-8", errors="replace")


def explain(said: str) -> str:
    """What a command's last words mean, as a phrase."""
    for pattern, meaning in REASONS:
        found = re.search(pattern, said)
        if found:
            return meaning.format(*found.groups())
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR") or "Error:" in line]
    return (errors or lines or ["it said nothing"])[-1].removeprefix("ERROR: ").rstrip(".")


def _newest(said: str) -> str:
    """The package that was named last, for people."""
    found = re.findall(
        r"(?:Collecting|Downloading|Using cached) ([A-Za-z0-9._-]+?)(?:==|[-<>=!~ (]|$)", said, re.MULTILINE
    )
    return f": {found[-1]}" if found else ""


def _is_python(program: str) -> bool:
    return "python" in Path(program or "").name.lower()
