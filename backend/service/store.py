"""Jobs and files in the database: every change of state is one transaction."""

import json
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from backend.service.database import Database
from backend.service.job import CANCELLING, COLUMNS, DONE, ENDED, QUEUED, RUNNING, Job, from_row, to_row

UPLOAD, RESULT = "upload", "result"


@dataclass(frozen=True)
class StoredFile:
    """An upload, named by its digest, or a result, named by its job's key.

    about: what else is known of it (kind and seconds of an upload). unread: seconds of the service running since
    somebody read it last; clocks that jump do not make files old.
    """

    name: str
    role: str
    size: int
    sha256: str
    about: dict[str, Any]
    unread: float = 0.0


class Store:
    """What the service knows, on the disk."""

    def __init__(self, database: Database) -> None:
        self.database = database

    # ------------------------------------------------------------ jobs

    def add(self, job: Job) -> None:
        """Accept a job. Raises sqlite3.IntegrityError where its idempotency key is taken."""
        with self.database.write() as db:
            names = ", ".join(COLUMNS)
            db.execute(f"insert into jobs ({names}) values ({', '.join(':' + n for n in COLUMNS)})", to_row(job))
            db.executemany("insert or ignore into uses values (?, ?)", [(job.id, name) for name in job.uploads])

    def get(self, job_id: str) -> Job | None:
        """The job, or None."""
        return self._one("select * from jobs where id = ?", job_id)

    def by_idempotency(self, key: str) -> Job | None:
        """The job that was accepted under an idempotency key, or None."""
        return self._one("select * from jobs where idempotency = ?", key)

    def newest(self, states: Sequence[str], kinds: Sequence[str], limit: int, before: str | None = None) -> list[Job]:
        """The newest jobs first, older than the job `before`."""
        query = (
            f"select * from jobs where state in ({_marks(states)}) and kind in ({_marks(kinds)}) and number < "
            "coalesce((select number from jobs where id = ?), 9e18) order by number desc limit ?"
        )
        return [from_row(row) for row in self.database.rows(query, *states, *kinds, before, limit)]

    def next_job(self, kinds: Sequence[str], busy_keys: Collection[str]) -> Job | None:
        """The job to do next: highest priority, then oldest; not one whose equal is being done."""
        busy = sorted(busy_keys)
        query = (
            f"select * from jobs where state = ? and kind in ({_marks(kinds)}) and key not in ({_marks(busy)}) "
            "order by priority desc, number limit 1"
        )
        return self._one(query, QUEUED, *kinds, *busy)

    def count(self) -> dict[str, int]:
        """Number of jobs in each state."""
        return {row[0]: row[1] for row in self.database.rows("select state, count(*) from jobs group by state")}

    def ahead_of(self, job: Job, kinds: Sequence[str]) -> int:
        """How many waiting jobs are done before this one."""
        query = (
            f"select count(*) from jobs where state = ? and kind in ({_marks(kinds)}) and (priority > ? or "
            "(priority = ? and number < (select number from jobs where id = ?)))"
        )
        return self.database.rows(query, QUEUED, *kinds, job.priority, job.priority, job.id)[0][0]

    def change(self, job_id: str, expected: Collection[str], **values: Any) -> bool:
        """Change a job that is in one of the expected states; False where it is in another."""
        with self.database.write() as db:
            return _change(db, job_id, expected, values)

    def finish(self, job_id: str, result: StoredFile, **values: Any) -> bool:
        """Record a result and the job that made it in one transaction."""
        with self.database.write() as db:
            _put(db, result)
            return _change(db, job_id, (RUNNING, CANCELLING, QUEUED), {"state": DONE, "error": None, **values})

    def recover(self) -> list[Job]:
        """The jobs that were being done when the last service stopped."""
        rows = self.database.rows("select * from jobs where state in (?, ?)", RUNNING, CANCELLING)
        return [from_row(row) for row in rows]

    def ended_before(self, keep: int) -> list[str]:
        """Ids of ended jobs beyond the newest `keep`."""
        query = f"select id from jobs where state in ({_marks(ENDED)}) order by number desc limit -1 offset ?"
        return [row[0] for row in self.database.rows(query, *ENDED, keep)]

    def forget(self, job_ids: Sequence[str]) -> None:
        """Delete jobs; their files go when they expire."""
        with self.database.write() as db:
            db.executemany("delete from jobs where id = ?", [(job_id,) for job_id in job_ids])
            db.executemany("delete from uses where job = ?", [(job_id,) for job_id in job_ids])

    # ------------------------------------------------------------ files

    def put_file(self, file: StoredFile) -> None:
        """Record an upload or a result."""
        with self.database.write() as db:
            _put(db, file)

    def get_file(self, role: str, name: str) -> StoredFile | None:
        """The upload or result, or None."""
        rows = self.database.rows("select * from files where role = ? and name = ?", role, name)
        return _file(rows[0]) if rows else None

    def files(self) -> list[StoredFile]:
        """All files, the longest unread first."""
        return [_file(row) for row in self.database.rows("select * from files order by unread desc, name")]

    def size(self) -> int:
        """Bytes of all files."""
        return self.database.rows("select coalesce(sum(size), 0) from files")[0][0]

    def grow_old(self, seconds: float, in_use: Collection[tuple[str, str]]) -> None:
        """Let time pass for all files but those that are being read."""
        with self.database.write() as db:
            db.execute("update files set unread = unread + ?", (seconds,))
            db.executemany("update files set unread = 0 where role = ? and name = ?", sorted(in_use))

    def refresh(self, role: str, name: str) -> None:
        """A file is wanted again: it is young."""
        with self.database.write() as db:
            db.execute("update files set unread = 0 where role = ? and name = ?", (role, name))

    def forget_file(self, role: str, name: str) -> None:
        """The file has expired."""
        with self.database.write() as db:
            db.execute("delete from files where role = ? and name = ?", (role, name))

    def needed_uploads(self) -> set[str]:
        """Uploads that jobs still have to read."""
        query = f"select upload from uses join jobs on jobs.id = uses.job where state not in ({_marks(ENDED)})"
        return {row[0] for row in self.database.rows(query, *ENDED)}

    def _one(self, query: str, *values: object) -> Job | None:
        rows = self.database.rows(query, *values)
        return from_row(rows[0]) if rows else None


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))


def _change(db: sqlite3.Connection, job_id: str, expected: Collection[str], values: dict[str, Any]) -> bool:
    if "warnings" in values:
        values = values | {"warnings": json.dumps(values["warnings"])}
    names = ", ".join(f"{name} = ?" for name in values)
    query = f"update jobs set {names} where id = ? and state in ({_marks(expected)})"
    return db.execute(query, (*values.values(), job_id, *expected)).rowcount == 1


def _put(db: sqlite3.Connection, file: StoredFile) -> None:
    values = (file.name, file.role, file.size, file.sha256, json.dumps(file.about), file.unread)
    db.execute("insert or replace into files values (?, ?, ?, ?, ?, ?)", values)


def _file(row: sqlite3.Row) -> StoredFile:
    about = json.loads(row["about"])
    return StoredFile(row["name"], row["role"], row["size"], row["sha256"], about, row["unread"])
