"""Renaming and removing where something else holds a file for a moment, as virus scanners do on Windows."""

import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

WAITS = (0.05, 0.1, 0.2, 0.4, 0.8) if os.name == "nt" else ()
"""Seconds before each further try. Elsewhere an open file can be renamed and removed."""


def patiently(action: Callable[..., Any], *arguments: object) -> None:
    """Do something to files, again where it was refused. Raises PermissionError where they stay held."""
    for seconds in WAITS:
        try:
            return action(*arguments)
        except PermissionError:
            time.sleep(seconds)
    return action(*arguments)


def move(source: Path, target: Path) -> None:
    """Rename a file or folder within one disk; a file takes the place of an older one."""
    patiently(source.replace, target)


def remove_tree(folder: Path) -> None:
    """Remove a folder, or what can be removed of it."""
    with suppress(OSError):
        patiently(shutil.rmtree, folder)
    shutil.rmtree(folder, ignore_errors=True)
