"""The SQLite file: opening, checking, transactions, what a full disk does to them, and its backup."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from backend.service.problems import StorageFull
from backend.service.whole_file import move_whole

RESERVE_BYTES = 4 << 20
"""Given back to the disk when it is full: room for the database to write down what failed."""
SCHEMA = """
create table if not exists jobs (
    number integer primary key autoincrement,
    id text not null unique,
    kind text not null,
    key text not null,
    request text not null,
    state text not null,
    priority integer not null,
    idempotency text unique,
    fingerprint text not null,
    error text,
    warnings text not null,
    cached integer not null,
    crashes integer not null,
    interruptions integer not null,
    created real not null,
    started real,
    finished real
);
create index if not exists jobs_waiting on jobs (state, priority desc, number);
create index if not exists jobs_by_key on jobs (key);
create table if not exists files (
    name text not null,
    role text not null,
    size integer not null,
    sha256 text not null,
    about text not null,
    unread real not null,
    primary key (role, name)
);
create table if not exists uses (job text not null, upload text not null, primary key (upload, job));
"""
FORMAT = 1
"""Raised when the tables change their meaning; kept in the file's user_version."""


class Database:
    """One connection for writing, behind a lock, and one for reading, so that status calls never wait for a writer.

    reserve: a file whose space is given back when the disk is full.
    """

    def __init__(self, path: Path, reserve: Path) -> None:
        self.path, self._reserve = path, reserve
        self._lock = threading.Lock()
        self._writer = connect(path)
        self._writer.executescript(SCHEMA)
        self._writer.execute(f"pragma user_version={FORMAT}")
        self._reader = connect(path)
        self._reader_lock = threading.Lock()
        path.chmod(0o600)
        self.keep_reserve()

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it is on the disk when the block ends, or none. Raises StorageFull."""
        with self._lock:
            try:
                self._writer.execute("begin immediate")
                yield self._writer
                self._writer.execute("commit")
            except BaseException as error:
                with contextlib.suppress(sqlite3.Error):
                    self._writer.execute("rollback")
                if is_full(error):
                    self._reserve.unlink(missing_ok=True)
                    raise StorageFull("The disk with the service's data is full; free some space.", 60) from None
                raise

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._reader_lock:
            return self._reader.execute(query, values).fetchall()

    def keep_reserve(self) -> bool:
        """Put the reserve back where there is room again; False while there is none."""
        if self._reserve.exists() and self._reserve.stat().st_size >= RESERVE_BYTES:
            return True
        try:
            self._reserve.write_bytes(bytes(RESERVE_BYTES))
        except OSError:
            self._reserve.unlink(missing_ok=True)
            return False
        return True

    def back_up(self, target: Path) -> None:
        """Write a whole copy, while the service goes on."""
        temporary = target.with_name(f".{target.name}.new")
        temporary.unlink(missing_ok=True)
        try:
            with contextlib.closing(sqlite3.connect(temporary)) as copy, contextlib.closing(connect(self.path)) as own:
                own.backup(copy)
                copy.execute("pragma journal_mode=delete")  # one file, nothing beside it
            temporary.chmod(0o600)
            move_whole(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)

    def close(self) -> None:
        """Fold the write-ahead log into the file and close it."""
        with self._lock, self._reader_lock:
            with contextlib.suppress(sqlite3.Error):
                self._writer.execute("pragma wal_checkpoint(truncate)")
            self._reader.close()
            self._writer.close()


def connect(path: Path) -> sqlite3.Connection:
    """Open for transactions that are begun by hand; a commit is forced to the disk."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    connection.row_factory = sqlite3.Row
    connection.execute("pragma journal_mode=wal")
    connection.execute("pragma synchronous=full")
    return connection


def is_full(error: BaseException) -> bool:
    """Whether an error says that the disk is full; SQLite also says "disk I/O error" when its log cannot grow."""
    text = str(error)
    return isinstance(error, sqlite3.OperationalError) and ("is full" in text or "disk I/O" in text)


def is_sound(path: Path) -> bool:
    """Whether a file is a database of ours that can be read to its end."""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)) as connection:
            good = connection.execute("pragma integrity_check").fetchone()[0] == "ok"
            version = connection.execute("pragma user_version").fetchone()[0]
            connection.execute("select count(*) from jobs").fetchone()
    except sqlite3.Error:
        return False
    return good and version == FORMAT
