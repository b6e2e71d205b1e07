"""The bearer token: made once, readable by its user alone, compared in constant time."""

import os
import secrets
import stat
from pathlib import Path

from backend.errors import UsageError

LEAST_LENGTH = 32
"""Characters; 43 are made (256 bits)."""


def load_token(path: Path) -> str:
    """Read the token, or make one. Raises UsageError where the file is not safe to use."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read_token(path)
    token = secrets.token_urlsafe(32)
    with os.fdopen(handle, "w") as file:
        file.write(token)
        file.flush()
        os.fsync(file.fileno())
    return token


def _read_token(path: Path) -> str:
    about = path.lstat()
    if not stat.S_ISREG(about.st_mode):
        raise UsageError(f"The token {path} is no plain file; delete it and start again.")
    if os.name != "nt":
        if about.st_mode & 0o077:
            raise UsageError(f"Others may read the token {path}; delete it and start again, and a new one is made.")
        if about.st_uid != os.getuid():
            raise UsageError(f"The token {path} belongs to another user; choose another data folder.")
    token = path.read_text().strip()
    if len(token) < LEAST_LENGTH or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(
            f"The token {path} must be at least {LEAST_LENGTH} printable letters without spaces, got {len(token)}; "
            "delete it and start again, and a new one is made."
        )
    return token


def same_token(given: str, expected: str) -> bool:
    """Compare without telling by the time taken how much was right."""
    return secrets.compare_digest(given.encode("utf-8", "replace"), expected.encode())
