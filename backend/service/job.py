"""A job: what was asked for, and how far it got."""

import json
import secrets
import sqlite3
import time
from dataclasses import asdict, dataclass, field, fields
from typing import Any

QUEUED, RUNNING, CANCELLING, DONE, FAILED, CANCELLED = "queued", "running", "cancelling", "done", "failed", "cancelled"
STATES = (QUEUED, RUNNING, CANCELLING, DONE, FAILED, CANCELLED)
ENDED = (DONE, FAILED, CANCELLED)
RETRIED = (FAILED, CANCELLED)
"""States from which a job may be asked for again."""

LANES = {"animate": "quick", "batch": "quick", "inspect": "long", "train": "long"}
"""Which workers do which kind: a training of an hour must not keep a line of speech waiting."""


@dataclass(frozen=True)
class Job:
    """One row of the database. Times are seconds since 1970 for showing; nothing is decided by them."""

    id: str
    kind: str
    key: str
    """SHA-256 of everything that shapes the result: equal keys have equal results."""
    request: dict[str, Any]
    """What was asked for, checked, as JSON."""
    state: str = QUEUED
    priority: int = 5
    idempotency: str | None = None
    fingerprint: str = ""
    """SHA-256 of the request, to tell a repeated one from another one with the same idempotency key."""
    error: str | None = None
    warnings: list[str] = field(default_factory=list)
    cached: bool = False
    crashes: int = 0
    """Workers that died of it."""
    interruptions: int = 0
    """Services that died with it."""
    created: float = field(default_factory=time.time)
    started: float | None = None
    finished: float | None = None

    @property
    def lane(self) -> str:
        """Which workers do it."""
        return LANES[self.kind]

    @property
    def ended(self) -> bool:
        """Nothing more will happen to it by itself."""
        return self.state in ENDED

    @property
    def uploads(self) -> list[str]:
        """The uploads that it reads."""
        return list(self.request["uploads"])


COLUMNS = tuple(item.name for item in fields(Job))
JSON_COLUMNS = ("request", "warnings")


def new_id() -> str:
    """128 random bits: nobody guesses another one's job."""
    return secrets.token_hex(16)


def to_row(job: Job) -> dict[str, Any]:
    """A job as the values of its columns."""
    return asdict(job) | {name: json.dumps(getattr(job, name)) for name in JSON_COLUMNS} | {"cached": int(job.cached)}


def from_row(row: sqlite3.Row) -> Job:
    """The reverse of `to_row`."""
    values: dict[str, Any] = {name: row[name] for name in COLUMNS}
    values |= {name: json.loads(values[name]) for name in JSON_COLUMNS}
    values["cached"] = bool(values["cached"])
    return Job(**values)
