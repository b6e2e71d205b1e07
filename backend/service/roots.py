"""Which files of this computer a job may name by their path: those inside the allowed folders, links resolved."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from backend.file_names import is_device
from backend.service.problems import Forbidden, NotFound, Unprocessable

REFUSAL = "Paths outside the allowed folders are refused; upload the file, or start the service with --allow FOLDER."
"""The same sentence whether the file exists or not: a stranger learns nothing about the disk."""


def open_inside(text: str, roots: Sequence[Path]) -> BinaryIO:
    """Open a plain file for reading whose real place lies inside one of `roots`.

    The path must be absolute and written plainly: no `..`, no `~`, no device or network forms. What was opened is
    compared with what was checked, so that a link put there in between is noticed.
    Raises: Forbidden outside the roots; NotFound and Unprocessable inside them.
    """
    path = Path(text)
    if not _is_plain(text) or not path.is_absolute():
        raise Forbidden(REFUSAL)
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        raise _missing(path, roots) from None
    if not any(_is_inside(real, root) for root in roots):
        raise Forbidden(REFUSAL)
    return _open_plain_file(real)


def _is_plain(text: str) -> bool:
    parts = text.replace("\\", "/").split("/")
    windows_forms = os.name != "nt" and ("\\" in text or text[1:2] == ":")
    device = text.startswith(("//", "\\\\")) or any(map(is_device, parts))
    control = any(ord(letter) < 32 for letter in text)
    encoded = "%2e" in text.lower() or "%2f" in text.lower() or "%5c" in text.lower()
    return not (windows_forms or device or control or encoded or ".." in parts or "~" in parts[0])


def _is_inside(real: Path, root: Path) -> bool:
    return real != root.resolve() and real.is_relative_to(root.resolve())


def _missing(path: Path, roots: Sequence[Path]) -> Exception:
    """Say that a file is missing only where the caller may look."""
    parent = next((folder for folder in path.parents if folder.exists()), None)
    if parent is not None and any(parent.resolve().is_relative_to(root.resolve()) for root in roots):
        return NotFound(f"There is no file {path}.")
    return Forbidden(REFUSAL)


def _open_plain_file(real: Path) -> BinaryIO:
    # O_NONBLOCK: opening a pipe would wait for its writer.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(real, flags)
    except OSError as error:
        raise Unprocessable(f"{real} cannot be read: {error.strerror}.") from None
    file = os.fdopen(descriptor, "rb")
    about = os.fstat(descriptor)
    if not stat.S_ISREG(about.st_mode):
        file.close()
        raise Unprocessable(f"{real} is no plain file.")
    if real.resolve() != real or not os.path.samestat(about, real.lstat()):
        file.close()
        raise Forbidden(REFUSAL)
    return file
