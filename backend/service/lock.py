"""One service for each user: a lock that dies with its process, and a note that says where the service is."""

import json
import os
from pathlib import Path
from typing import IO, Any

from backend.errors import UsageError
from backend.service.whole_file import write_whole


class Lock:
    """An exclusive lock on a file; the operating system frees it when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def take(self) -> bool:
        """Take the lock; False where another process holds it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("a+")
        try:
            _lock_file(file)
        except OSError:
            file.close()
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Give the lock back; the file stays, since deleting it would let two processes lock two files."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _lock_file(file: IO[str]) -> None:
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


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
