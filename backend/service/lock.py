"""One service for each user: its locks, and a note that says where the service is."""

import json
import os
from pathlib import Path
from typing import Any

from backend.errors import UsageError
from backend.file_lock import Lock
from backend.service.whole_file import write_whole


class SingleService:
    """The two locks of a running service, one for its user and one for its data folder, and the note beside them."""

    def __init__(self, home: Path, data: Path) -> None:
        self.note = home / "service.json"
        self._locks = (Lock(home / "service.lock"), Lock(data / "lock"))
        self._announced = False

    def take(self) -> None:
        """Raises UsageError that says where the running service is."""
        for lock in self._locks:
            if not lock.take():
                self.release()
                raise UsageError(f"A service is running already{self._where()}; use it, or stop it first.")

    def announce(self, url: str, token_file: Path) -> None:
        """Write where the service is, for clients and for the next start."""
        about = {"url": url, "token_file": str(token_file), "pid": os.getpid()}
        write_whole(self.note, json.dumps(about).encode())
        self._announced = True

    def release(self) -> None:
        """Remove the note, where this process wrote it, and free both locks."""
        if self._announced:
            self.note.unlink(missing_ok=True)
        for lock in self._locks:
            lock.release()

    def _where(self) -> str:
        about = read_note(self.note)
        return f" at {about['url']} (process {about['pid']})" if about else " with this data folder"


def read_note(path: Path) -> dict[str, Any] | None:
    """Return where the last service was, or None; whether it still is there only a request can tell."""
    try:
        about = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return about if isinstance(about, dict) and {"url", "pid", "token_file"} <= set(about) else None
