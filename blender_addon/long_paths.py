"""Whether the backend's files have paths that Windows takes: 259 letters, where nobody has allowed more; no Blender."""

import sys
from pathlib import Path

from .errors import BackendError

MOST = 259
"""Letters of a path."""
LONGEST = len("/environment/Lib/site-packages/") + 167
"""Letters of the longest path below the folder of an environment: one of the licences that come with torch 2.13."""
KEY = r"SYSTEM\CurrentControlSet\Control\FileSystem"
ALLOW = rf"reg add HKLM\{KEY} /v LongPathsEnabled /t REG_DWORD /d 1 /f"


def long_paths_allowed() -> bool:
    """Whether this system takes paths of any length."""
    if sys.platform != "win32":
        return True
    import winreg

    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, KEY) as key:
            return winreg.QueryValueEx(key, "LongPathsEnabled")[0] == 1
    except OSError:
        return False


def choose_folder(own: Path, short: Path) -> Path:
    """The folder for an environment: `short` where paths in `own` get too long, and there is none in it yet."""
    return own if fits(own) or (own / "environment").exists() else short


def fits(folder: Path) -> bool:
    """Whether an environment in a folder has no path that is too long."""
    return len(str(folder)) + LONGEST <= MOST or long_paths_allowed()


def check_length(folder: Path) -> None:
    """Raise BackendError where the paths of an environment in a folder get too long."""
    if not fits(folder):
        raise BackendError(
            f"Windows takes paths of {MOST} letters, and those in {folder} get {len(str(folder)) + LONGEST} long; set "
            f"the environment variable MOUTHPIECE_HOME to a short folder, or run as administrator: {ALLOW}."
        )
