"""What a start does with what the last one left: the database or its backup, jobs cut short, half-written files."""

import dataclasses
from pathlib import Path

from backend.renaming import move, remove_tree
from backend.service.database import Database, is_sound
from backend.service.job import CANCELLED, CANCELLING, DONE, FAILED, QUEUED, RUNNING, Job
from backend.service.records import Records
from backend.service.settings import Layout
from backend.service.store import RESULT, UPLOAD, Store, StoredFile
from backend.service.whole_file import write_whole
from backend.trust.provenance import file_sha256

MOST_INTERRUPTIONS = 20
"""Services that may die with a job before it is given up: it may be what kills them."""


def open_store(layout: Layout) -> tuple[Store, list[str]]:
    """Open the database, mended where needed; returns the store and what had to be done, in sentences."""
    notes = _mend_database(layout)
    store = Store(Database(layout.database, layout.reserve))
    records = Records(layout.records)
    _clear(layout.incoming)
    _find_files(store, layout, records)
    replayed = _replay(store, records)
    if replayed:
        notes.append(f"{replayed} accepted jobs were put back from their records.")
    _requeue(store)
    _check_results(store, layout, records)
    _clear_work(store, layout)
    return store, notes


def _mend_database(layout: Layout) -> list[str]:
    """Replace a database that cannot be read by its backup; the broken one is kept beside it."""
    path = layout.database
    if not path.exists() and not layout.backup.exists():
        return []
    if path.exists() and is_sound(path):
        return []
    notes = []
    if path.exists():
        number = sum(1 for _ in layout.root.glob("jobs.broken-*.sqlite")) + 1
        broken = layout.root / f"jobs.broken-{number}.sqlite"
        move(path, broken)
        notes.append(f"The database could not be read; it is kept as {broken.name}.")
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    if layout.backup.exists() and is_sound(layout.backup):
        write_whole(path, layout.backup.read_bytes())
        notes.append("The database was restored from its backup.")
    else:
        notes.append("There was no backup of the database that could be read; a new one was made.")
    return notes


def _replay(store: Store, records: Records) -> int:
    """Bring in the jobs that the database does not know, and ends that it does not know."""
    count = 0
    for job in records.read_all():
        known = store.get(job.id)
        if known is None:
            taken = job.idempotency is not None and store.by_idempotency(job.idempotency) is not None
            store.add(dataclasses.replace(job, idempotency=None) if taken else job)
            count += 1
        elif job.ended and not known.ended:
            fields = ("state", "error", "warnings", "cached", "started", "finished")
            store.change(job.id, (known.state,), **{name: getattr(job, name) for name in fields})
            count += 1
    return count


def _requeue(store: Store) -> None:
    for job in store.recover():
        if job.state == CANCELLING:
            store.change(job.id, (CANCELLING,), state=CANCELLED)
        elif job.interruptions >= MOST_INTERRUPTIONS:
            error = f"The service stopped {job.interruptions + 1} times while doing this; it is not tried again."
            store.change(job.id, (RUNNING,), state=FAILED, error=error)
        else:
            store.change(job.id, (RUNNING,), state=QUEUED, interruptions=job.interruptions + 1)


def _check_results(store: Store, layout: Layout, records: Records) -> None:
    """Do again what is said to be done and whose result is not there as it was written."""
    broken = set()
    for file in store.files():
        if file.role == RESULT and not _has_size(layout.result(file.name), file.size):
            broken.add(file.name)
        elif file.role == UPLOAD and not _has_size(layout.upload(file.name), file.size):
            store.forget_file(UPLOAD, file.name)
    if broken:
        for job in store.newest((DONE,), ("animate", "batch", "inspect"), 1_000_000):
            if job.key in broken:
                _do_again(job, store, records)
    for name in broken:
        store.forget_file(RESULT, name)


def _do_again(job: Job, store: Store, records: Records) -> None:
    """Queue a job that was done; its record first, which would else end it again at the next start."""
    try:
        records.write(dataclasses.replace(job, state=QUEUED, cached=False, finished=None))
    except OSError:
        records.remove(job.id)
    store.change(job.id, (DONE,), state=QUEUED, cached=0, finished=None)


def _find_files(store: Store, layout: Layout, records: Records) -> None:
    """Take in whole files that a restored database does not know, and delete what no job can name."""
    known = {(file.role, file.name) for file in store.files()}
    sources: dict[str, dict] = {}
    for source in (source for job in records.read_all() for source in job.request["sources"]):
        if source["kind"] == "video" or source["upload"] not in sources:  # a video is a sound as well
            sources[source["upload"]] = source
    for path in layout.uploads.iterdir():
        if (UPLOAD, path.name) in known:
            continue
        digest = file_sha256(path)
        if path.name == digest and digest in sources:
            store.put_file(StoredFile(digest, UPLOAD, path.stat().st_size, digest, _about(sources[digest])))
        else:
            path.unlink()
    for path in layout.results.iterdir():
        if path.name.startswith("."):
            path.unlink()
        elif (RESULT, path.stem) not in known:
            store.put_file(StoredFile(path.stem, RESULT, path.stat().st_size, file_sha256(path), {}))


def _about(source: dict) -> dict:
    return {name: source[name] for name in ("kind", "seconds")}


def _clear_work(store: Store, layout: Layout) -> None:
    """Delete what jobs left in their folders; a training goes on from its checkpoint."""
    for folder in layout.work.iterdir():
        job = store.get(folder.name)
        if not _may_resume(job):
            remove_tree(folder)


def _may_resume(job: Job | None) -> bool:
    return job is not None and job.kind == "train" and not job.ended


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink(missing_ok=True)


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size
