"""A job as clients see it: its row in the database, and while it runs how far it is."""

import datetime
from typing import Any

from backend.service.estimate import Estimator, Pace
from backend.service.job import DONE, QUEUED, Job
from backend.service.store import RESULT, Store


def view_job(job: Job, store: Store, pace: Pace | None, estimator: Estimator, lane: tuple[str, ...]) -> dict[str, Any]:
    """The fields of `backend.service.schema.JobView`.

    pace: of a running job; lane: the kinds that wait in the same line.
    """
    file = store.get_file(RESULT, job.key) if job.state == DONE else None
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "name": job.request["name"],
        "actor": job.request.get("actor"),
        "priority": job.priority,
        "seconds": job.request["seconds"],
        "created": _date(job.created),
        "started": _date(job.started),
        "finished": _date(job.finished),
        "ahead": store.ahead_of(job, lane) if job.state == QUEUED else None,
        "progress": _progress(pace, estimator) if pace else None,
        "error": job.error,
        "warnings": job.warnings,
        "cached": job.cached,
        "tries": 1 + job.crashes + job.interruptions,
        "result": {"size": file.size, "sha256": file.sha256} if file else None,
        "expired": job.state == DONE and file is None,
    }


def _progress(pace: Pace, estimator: Estimator) -> dict[str, Any]:
    return {
        "stage": pace.stage,
        "done": pace.done,
        "total": pace.total,
        "seconds_left": estimator.seconds_left(pace),
    }


def _date(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="milliseconds")
