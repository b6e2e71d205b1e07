"""Find a Python that the backend's environment can be made with; needs no Blender."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import BackendError

VERSIONS = ((3, 11), (3, 12), (3, 13))
WITHOUT_TRAINING = (3, 13)
"""From this version on there is no package of the face tracker that training needs."""
VARIABLE = "MOUTHPIECE_PYTHON"
"""Environment variable that names the only Python to be used."""
PROBE = "import sys, ssl, venv, ensurepip; print(*sys.version_info[:2])"
PROBE_SECONDS = 30.0
MAC_PLACES = ("/opt/homebrew/bin", "/usr/local/bin", "/Library/Frameworks/Python.framework/Versions/{}/bin")
"""A program that was started from the Finder does not see the shell's PATH."""


@dataclass(frozen=True)
class FoundPython:
    """An interpreter that can make environments."""

    command: tuple[str, ...]
    version: tuple[int, int]


def find_python(chosen: str = "", training: bool = False) -> FoundPython:
    """The first that will do: the chosen one alone, else Blender's own, else the system's.

    Raises BackendError that says what to install.
    """
    chosen = chosen or os.environ.get(VARIABLE, "")
    allowed = [version for version in VERSIONS if not training or version < WITHOUT_TRAINING]
    wanted = "Python " + ", ".join(f"{a}.{b}" for a, b in allowed[:-1]) + f" or {allowed[-1][0]}.{allowed[-1][1]}"
    for command in [(chosen,)] if chosen else candidates():
        version = probe(command)
        if version in allowed:
            return FoundPython(command, version)
    if chosen:
        raise BackendError(f"{chosen} is no {wanted} that can make environments; choose another, or none.")
    why = "training needs" if training else "the backend needs"
    raise BackendError(
        f"{wanted} was not found, and {why} it; install Python 3.11 (python.org, or python3.11 with python3.11-venv "
        "from your system's packages) and try again, or choose its program in the add-on's preferences."
    )


def candidates() -> Iterator[tuple[str, ...]]:
    """Commands that may be a Python, the likeliest first."""
    if "python" in Path(sys.executable or "").name.lower():  # Blender's own; in old ones it is Blender itself
        yield (sys.executable,)
    launcher = shutil.which("py") if os.name == "nt" else None
    for version in (f"{major}.{minor}" for major, minor in VERSIONS):
        if launcher:
            yield launcher, f"-{version}"
        places = os.environ.get("PATH", "")
        if sys.platform == "darwin":
            places = os.pathsep.join([places, *(place.format(version) for place in MAC_PLACES)])
        found = shutil.which(f"python{version}", path=places)
        if found:
            yield (found,)
    for name in ("python3", "python"):
        found = shutil.which(name)
        if found:
            yield (found,)


def probe(command: tuple[str, ...]) -> tuple[int, int] | None:
    """(major, minor) of a Python that can make environments, else None."""
    try:
        answer = subprocess.run(
            [*command, "-I", "-c", PROBE],
            capture_output=True,
            text=True,
            errors="replace",  # what the Microsoft Store puts in its place speaks the system's language
            timeout=PROBE_SECONDS,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.SubprocessError):
        return None
    words = answer.stdout.split()
    return (int(words[0]), int(words[1])) if answer.returncode == 0 and len(words) == 2 else None
