"""How a scene stores the path of a file that it uses."""

import os
from pathlib import Path

import bpy


def stored_path(path: Path) -> str:
    """A path relative to the saved .blend, so that both can be moved together; absolute where that cannot be.

    In a file that was never saved paths are absolute: Blender makes them relative when it is saved (Preferences > Save
    & Load > Default to Relative Paths).
    """
    return bpy.path.relpath(str(path)) if bpy.data.filepath and _same_drive(path) else str(path)


def _same_drive(path: Path) -> bool:
    return os.path.splitdrive(path)[0].lower() == os.path.splitdrive(bpy.data.filepath)[0].lower()
