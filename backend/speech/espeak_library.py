"""Finds espeak-ng's library, by name and where its installers put it, and loads it."""

import ctypes
import ctypes.util
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from backend.errors import EnvironmentProblem

INSTALL = {
    "win32": "get the .msi from https://github.com/espeak-ng/espeak-ng/releases and run it",
    "darwin": "brew install espeak-ng",
    "linux": "on Debian: apt install espeak-ng",
}
"""By `sys.platform`."""
FILES = {"win32": "libespeak-ng.dll", "darwin": "libespeak-ng.dylib", "linux": "libespeak-ng.so.1"}
"""The library by `sys.platform`."""
MAC_FOLDERS = ("/opt/homebrew/lib", "/usr/local/lib", "/opt/local/lib")
"""Of Homebrew, on Apple's processors and on Intel's, and of MacPorts; the system's loader knows the second alone."""
WINDOWS_FOLDERS = ("ProgramW6432", "ProgramFiles", "ProgramFiles(x86)")
"""Environment variables with the folders that the installer writes `eSpeak NG` to; none of them is in the PATH."""
DATA = "espeak-ng-data"


def load_library(platform: str = sys.platform) -> tuple[ctypes.CDLL, bytes | None]:
    """The library, and the folder to start it with: that of its data where it lies beside it, else None.

    Raises EnvironmentProblem with what to install, or with what is wrong with the library that there is.
    """
    refused = ""
    for place in places(platform):
        try:
            library = ctypes.CDLL(place)
        except OSError as error:
            if Path(place).is_file():
                refused = refused or f"espeak-ng's library {place} cannot be loaded ({error}); install one that fits "
            continue
        beside = Path(place).parent
        return library, os.fsencode(beside) if beside.is_absolute() and (beside / DATA).is_dir() else None
    if refused:
        raise EnvironmentProblem(f"{refused}this Python of {8 * ctypes.sizeof(ctypes.c_void_p)} bits.")
    raise EnvironmentProblem(
        f"espeak-ng is not installed; {INSTALL.get(platform, INSTALL['linux'])}. It speaks a text (any other "
        "synthesiser's sound file works as input instead), and reads a transcript that is not English, has figures, or "
        "words that no dictionary has."
    )


def places(platform: str) -> Iterator[str]:
    """Where the library may be, the likeliest first: names for the system's loader, and paths."""
    for name in ("espeak-ng", "libespeak-ng"):  # on Windows the file's name begins with lib
        found = ctypes.util.find_library(name)
        if found:
            yield found
    file = FILES.get(platform, FILES["linux"])
    folders: list[Path] = []
    if platform == "win32":
        folders = [Path(os.environ[name]) / "eSpeak NG" for name in WINDOWS_FOLDERS if os.environ.get(name)]
    elif platform == "darwin":
        folders = [Path(folder) for folder in MAC_FOLDERS]
    else:
        yield file
    program = shutil.which("espeak-ng")
    if program:  # installed elsewhere
        folders += [Path(program).parent, Path(program).resolve().parents[1] / "lib"]
    yield from (str(folder / file) for folder in folders)
