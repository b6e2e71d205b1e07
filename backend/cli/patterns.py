"""Patterns like `lines/*.wav`, for shells that hand them on as they are: cmd.exe and PowerShell."""

import glob
import os
from collections.abc import Iterable
from pathlib import Path

from backend.errors import UsageError


def expand(paths: Iterable[Path]) -> list[Path]:
    """The paths, and in place of a pattern with * or ? what matches it, by name; brackets stand for themselves.

    What exists is no pattern. Raises UsageError where nothing matches.
    """
    found: list[Path] = []
    for path in paths:
        if os.path.lexists(path) or not set("*?") & set(str(path)):
            found.append(path)
            continue
        matching = sorted(glob.glob(str(path).replace("[", "[[]")))  # noqa: PTH207 - as shells do, without hidden files
        if not matching:
            raise UsageError(f"No file matches {path}; check the folder and the ending.")
        found += map(Path, matching)
    return found
