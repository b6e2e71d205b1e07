"""A file for each accepted job: with them the database can be lost and made again from its backup."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from backend.service.job import COLUMNS, Job
from backend.service.whole_file import write_whole


class Records:
    """FOLDER/ID.json, written before the job is accepted and again when it has ended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, job: Job) -> None:
        """Keep a job as it is now."""
        write_whole(self._path(job.id), json.dumps(asdict(job)).encode())

    def remove(self, job_id: str) -> None:
        """Forget a job."""
        self._path(job_id).unlink(missing_ok=True)

    def read_all(self) -> Iterator[Job]:
        """Every job on record; unreadable files are passed over."""
        for path in sorted(self._folder.glob("*.json")):
            try:
                values = json.loads(path.read_text("utf-8"))
                yield Job(**{name: values[name] for name in COLUMNS})
            except (OSError, ValueError, KeyError, TypeError):
                continue

    def _path(self, job_id: str) -> Path:
        return self._folder / f"{job_id}.json"
