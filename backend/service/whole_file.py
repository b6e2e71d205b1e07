"""Files that are there whole or not at all, also after a power cut."""

import os
import secrets
from pathlib import Path

from backend.renaming import move


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under a temporary name, force it to the disk, and give it its name."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            sync_file(file.fileno())
        move_whole(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def move_whole(source: Path, target: Path) -> None:
    """Rename a finished file within one disk and force the new name to it."""
    move(source, target)
    sync_folder(target.parent)


def sync_file(descriptor: int) -> None:
    """Force an open file's content to the disk."""
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Force a folder's names to the disk; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
