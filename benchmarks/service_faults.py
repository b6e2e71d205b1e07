"""The service under faults: 50 random `kill -9` during a mixed load, killed workers, a full disk, a database that
cannot be read, clocks that jump. Counts accepted jobs that were lost and results that changed: both must be 0.

Run: `python3 build.py bench service_faults`, or `.venv/bin/python -m benchmarks.service_faults --only kills`. The full
disk needs root (a small tmpfs), the clocks need libfaketime (Debian package faketime); without them these are skipped.
"""

import argparse
import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from backend.service.client import Client, Job, JobFailed, ServiceError
from benchmarks.machine import describe_machine
from tests.backend.service.running import QUICK, RunningService, make_sound, running_service

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
PATIENCE_SECONDS = 900.0


@dataclass
class Ledger:
    """What the service promised: the ids it accepted, the sound behind each, and the results it has shown."""

    accepted: dict[str, str] = field(default_factory=dict)
    """Job to the digest of its sound."""
    cancelled: set[str] = field(default_factory=set)
    shown: dict[str, str] = field(default_factory=dict)
    """Job to the digest of its result when it was first fetched."""
    faults: list[str] = field(default_factory=list)


class Load:
    """Clients that ask for jobs of several kinds for as long as the load runs, and fetch some results."""

    def __init__(self, service: RunningService, ledger: Ledger, clients: int = 4, pause: float = 0.8) -> None:
        self._service, self._ledger, self._pause = service, ledger, pause
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(clients)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self, client_number: int) -> None:
        chance = random.Random(client_number)
        for turn in range(10**9):
            if self._stop.wait(self._pause * chance.random() * 2):
                return
            with contextlib.suppress(ServiceError, OSError, AssertionError):  # it is killed again and again
                self._ask(chance, client_number * 100_000 + turn)

    def _ask(self, chance: random.Random, number: int) -> None:
        client, ledger = self._service.client, self._ledger
        sound = client.upload(make_sound(number if chance.random() < 0.8 else number // 7, 0.3 + chance.random()))
        options = QUICK if chance.random() < 0.85 else {"texture": True}
        if chance.random() < 0.15:
            line = {"name": "line", "audio": sound, "options": QUICK}
            job = client.batch([line, line | {"name": "again", "options": {**QUICK, "fps": 30}}])
        else:
            job = client.animate(sound, priority=chance.randrange(10), **options)
        ledger.accepted[job.id] = sound.id
        if chance.random() < 0.1:
            client.cancel(job)
            ledger.cancelled.add(job.id)
        for done in client.jobs("done", limit=5):
            if chance.random() < 0.3:
                fetch(client, done, ledger)


def fetch(client: Client, job: Job, ledger: Ledger) -> None:
    """Fetch a result; compare it with what the service says, and with what it sent before."""
    with tempfile.TemporaryDirectory() as folder:
        content = client.fetch_result(job, Path(folder) / "result.zip").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if ledger.shown.setdefault(job.id, digest) != digest:
        ledger.faults.append(f"{job.id}: its result has changed")


def wait_until_idle(client: Client) -> None:
    """Until nothing waits or runs."""
    end = time.monotonic() + PATIENCE_SECONDS
    while any(client.status()["jobs"][state] for state in ("queued", "running", "cancelling")):
        if time.monotonic() > end:
            raise SystemExit(f"jobs do not end: {client.status()}")
        time.sleep(0.5)


def audit(client: Client, ledger: Ledger) -> dict[str, int]:
    """Look at every accepted job; returns the counts of a row of the table."""
    wait_until_idle(client)
    states: dict[str, int] = {}
    lost = 0
    for job_id, sound in ledger.accepted.items():
        try:
            job = client.job(job_id)
        except ServiceError as error:
            lost += 1
            ledger.faults.append(f"{job_id}: {error}")
            continue
        states[job.state] = states.get(job.state, 0) + 1
        if job.state == "done":
            _check_result(client, job, sound, ledger)
        elif job_id not in ledger.cancelled:
            lost += 1
            ledger.faults.append(f"{job_id}: {job.state}, {job.error}")
    return {"accepted": len(ledger.accepted), **states, "lost": lost, "faults": len(ledger.faults)}


def _check_result(client: Client, job: Job, sound: str, ledger: Ledger) -> None:
    try:
        fetch(client, job, ledger)
        for name in client.files(job):
            if name.endswith("animation.npz") and sound.encode("utf-32-le") not in client.read_file(job, name):
                ledger.faults.append(f"{job.id}: {name} is of another sound")
    except ServiceError as error:
        ledger.faults.append(f"{job.id}: {error}")


# ---------------------------------------------------------------- the faults


def kills(turns: int) -> dict[str, object]:
    """`kill -9` of the service at random moments of a mixed load, also while it starts."""
    ledger, chance = Ledger(), random.Random(1)
    with tempfile.TemporaryDirectory() as home, running_service(Path(home)) as service:
        with Load(service, ledger):
            for _ in range(turns):
                time.sleep(chance.uniform(0.3, 6.0))
                service.kill()
                service.start(wait=chance.random() < 0.8)
            service.wait_until_it_answers()
        return {"fault": f"{turns} x kill -9 of the service", **audit(service.client, ledger), "_": ledger.faults}


def worker_kills(turns: int) -> dict[str, object]:
    """`kill -9` of a worker at random moments: its job is done again, and no other notices."""
    ledger, chance, killed = Ledger(), random.Random(2), 0
    with tempfile.TemporaryDirectory() as home, running_service(Path(home)) as service:
        with Load(service, ledger):
            for _ in range(turns):
                time.sleep(chance.uniform(0.5, 4.0))
                for process in service.workers():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process, signal.SIGKILL)
                        killed += 1
        row = audit(service.client, ledger)
        twice = [text for text in ledger.faults if "worker ended 2 times" in text]
        faults = [text for text in ledger.faults if text not in twice]
        row |= {"lost": len(faults), "faults": len(faults), "given up after two kills of their worker": len(twice)}
        return {"fault": f"{killed} x kill -9 of a worker", **row, "_": faults}


def full_disk() -> dict[str, object]:
    """A disk of 48 MB that is filled while jobs run: they fail with that sentence, and work again when it is not."""
    if os.geteuid() != 0:
        return {"fault": "full disk", "skipped": "needs root to make a small tmpfs"}
    ledger, sentences = Ledger(), []
    with (
        tempfile.TemporaryDirectory() as home,
        small_disk(Path(home) / "disk", "48m") as disk,
        running_service(Path(home), "--data", str(disk / "data")) as service,
    ):
        service.data = disk / "data"
        client = service.client
        before = client.wait(client.animate(client.upload(make_sound(1)), **QUICK))
        fetch(client, before, ledger)
        uploads = [client.upload(make_sound(number, 2.0)) for number in range(2, 8)]
        for upload in uploads[:3]:
            ledger.accepted[client.animate(upload, texture=True).id] = upload.id
        fill_disk(disk / "filler")
        for upload in uploads[3:]:
            try:
                ledger.accepted[client.animate(upload, texture=True).id] = upload.id
            except ServiceError as error:
                sentences.append(f"{error.status}: {error}")
            fill_disk(disk / "filler")  # what the service gave back of its reserve
        for job_id in ledger.accepted:
            with contextlib.suppress(JobFailed):
                client.wait(job_id)
            sentences.append(f"{client.job(job_id).state}: {client.job(job_id).error}")
        fetch(client, before, ledger)
        health = client.health()["status"]
        (disk / "filler").unlink()
        for job_id in ledger.accepted:
            if client.job(job_id).state == "failed":
                client.retry(job_id)
        row = audit(client, ledger)
    named = all("full" in sentence or sentence.startswith("done") for sentence in sentences)
    return {
        "fault": "full disk",
        **row,
        "said so": named,
        "health meanwhile": health,
        "sentences": sorted(set(sentences)),
        "_": ledger.faults if named else [*ledger.faults, *sentences],
    }


@contextlib.contextmanager
def small_disk(path: Path, size: str):
    """A tmpfs."""
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(path)], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def fill_disk(path: Path) -> None:
    """Write until nothing more fits."""
    with contextlib.suppress(OSError), path.open("ab", buffering=0) as file:
        while True:
            file.write(bytes(1 << 16))
    with contextlib.suppress(OSError), path.open("ab", buffering=0) as file:
        while True:
            file.write(b"0")


def broken_database() -> dict[str, object]:
    """The database overwritten with noise, with and without a backup: accepted jobs come back from their records."""
    ledger, notes = Ledger(), []
    with tempfile.TemporaryDirectory() as home:
        service = RunningService(Path(home)).start()
        with Load(service, ledger):
            time.sleep(12)
        service.stop()  # leaves a backup
        service.start()
        with Load(service, ledger):  # what comes now is in no backup
            time.sleep(12)
        for name in ("jobs.sqlite", "backup.sqlite"):
            service.kill()
            _spoil(service.data / "jobs.sqlite")
            if name == "backup.sqlite":
                _spoil(service.data / name)
            service.start()
            notes += [row["note"] for row in service.log if "note" in row]
        row = audit(service.client, ledger)
        service.kill()
    return {"fault": "unreadable database, then backup too", **row, "notes": len(set(notes)), "_": ledger.faults}


def _spoil(path: Path) -> None:
    noise = random.Random(3).randbytes(path.stat().st_size)
    path.write_bytes(noise)


def clock_jumps() -> dict[str, object]:
    """The computer's clock set days, years and seconds forward and back while jobs run."""
    if not FAKETIME.exists():
        return {"fault": "clock jumps", "skipped": "needs libfaketime (apt-get install faketime)"}
    ledger = Ledger()
    with tempfile.TemporaryDirectory() as home:
        clock = Path(home) / "clock"
        clock.write_text("+0")
        fake = {
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }
        with running_service(Path(home), environment=fake) as service:
            with Load(service, ledger):
                for jump in ("+400d", "-400d", "+20y", "-3600", "+86400", "-10y", "+1", "+0"):
                    clock.write_text(jump)
                    time.sleep(4)
            years = {job.everything["created"][:4] for job in service.client.jobs(limit=500)}
            row = audit(service.client, ledger)
    return {"fault": "8 clock jumps", **row, "years of the jobs": len(years), "_": ledger.faults}


FAULTS: dict[str, Callable[[argparse.Namespace], dict[str, object]]] = {
    "kills": lambda options: kills(options.kills),
    "workers": lambda options: worker_kills(options.kills // 2),
    "disk": lambda _: full_disk(),
    "database": lambda _: broken_database(),
    "clock": lambda _: clock_jumps(),
}


def main() -> None:
    """Print a row for each fault; exit code 1 where a job was lost or a result changed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--only", choices=FAULTS, action="append")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    print(describe_machine())
    rows, faults = [], []
    for name in options.only or FAULTS:
        row = FAULTS[name](options)
        faults += list(row.pop("_", []))  # type: ignore[call-overload]
        rows.append(row)
        print(", ".join(f"{key}: {value}" for key, value in row.items()), flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    if faults:
        raise SystemExit("\n".join(faults[:20]))


if __name__ == "__main__":
    main()
