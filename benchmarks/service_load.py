"""The service under load: 64 clients post 1,000 short jobs; what is accepted, how fast it answers, what it keeps.

Run: `python3 build.py bench service_load`. Everything stays on this computer's loopback address.
"""

import argparse
import http.server
import io
import json
import multiprocessing
import queue
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np

from backend.service.client import Client, ServiceError
from benchmarks.machine import describe_machine
from tests.backend.service.running import QUICK, RunningService, make_sound, running_service

LIMIT_MS = 50.0
"""99th percentile of status calls that is asked for."""
LIMIT_GROWTH = 0.10
"""Of the memory between job 200 and the last."""
STATUS_SECONDS = 0.05
"""Between two status calls that are measured."""


@dataclass
class Figures:
    """What the clients saw."""

    accepted: list[str] = field(default_factory=list)
    refusals: Counter = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    status_ms: list[tuple[float, float]] = field(default_factory=list)
    """Of status calls, and of calls to a server that does nothing."""
    memory_mb: dict[int, float] = field(default_factory=dict)
    finished: int = 0


def post_and_wait(client: Client, number: int, seconds: float, figures: Figures) -> None:
    """One client's job: upload, ask, wait, fetch, and compare what came with what was sent."""
    upload = client.upload(make_sound(number, seconds))
    while True:
        try:
            job = client.animate(upload, name=f"line {number}", **QUICK)
            break
        except ServiceError as error:
            figures.refusals[f"{error.status}, Retry-After {error.retry_after}"] += 1
            if error.status not in (429, 503) or not error.retry_after:
                figures.wrong.append(f"refused with {error.status}: {error}")
                return
            time.sleep(error.retry_after)
    figures.accepted.append(job.id)
    job = client.wait(job)
    with np.load(io.BytesIO(client.read_file(job, "animation.npz"))) as animation:
        if str(animation["audio_sha256"]) != upload.id:
            figures.wrong.append(f"{job.id} has the animation of another sound")
    figures.finished += 1


def run_clients(service: RunningService, clients: int, jobs: int, seconds: float, figures: Figures) -> None:
    """Let `clients` threads do all jobs between them."""
    numbers: queue.SimpleQueue = queue.SimpleQueue()
    for number in range(jobs):
        numbers.put(number)

    def work() -> None:
        client = service.client
        while True:
            try:
                number = numbers.get_nowait()
            except queue.Empty:
                return
            try:
                post_and_wait(client, number, seconds, figures)
            except Exception as error:
                figures.wrong.append(f"job {number}: {type(error).__name__}: {error}")

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def watch_memory(service: RunningService, figures: Figures, stop: threading.Event) -> None:
    """Note the memory at every hundredth job."""
    while not stop.wait(STATUS_SECONDS):
        mark = figures.finished // 100 * 100
        if mark and mark not in figures.memory_mb:
            figures.memory_mb[mark] = memory_mb(service)


class Nothing(http.server.BaseHTTPRequestHandler):
    """Answers at once with a few bytes: what the machine itself takes for a request at this moment."""

    def do_GET(self) -> None:  # the name that the library calls
        """Answer."""
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def serve_nothing(answers: Queue) -> None:
    """The baseline, in a process of its own."""
    server = http.server.HTTPServer(("127.0.0.1", 0), Nothing)
    answers.put(server.server_port)
    server.serve_forever()


def measure_status(url: str, token: str, baseline: str, stop: Event, answers: Queue) -> None:
    """Time the status of a recent job, and the baseline, by turns, in a process whose only work this is."""
    client, other, times = Client(url, token), Client(baseline, ""), []
    while not stop.wait(STATUS_SECONDS):
        newest = client.jobs(limit=1)
        if newest:
            times.append((time_call(client.job, newest[0]), time_call(other._json, "GET", "/")))
    answers.put(times)


def time_call(call: Callable[..., object], *arguments: object) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    call(*arguments)
    return (time.perf_counter() - start) * 1000


def memory_mb(service: RunningService) -> float:
    """Resident memory of the service and its workers, shared pages counted once."""
    assert service.process is not None
    total = 0
    for process in (service.process.pid, *service.workers()):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=0.5, help="of sound in each job")
    parser.add_argument(
        "--queue", type=int, default=40, help="of the service: fewer than clients, so that it refuses some"
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures, stop = Figures(), threading.Event()
    with (
        tempfile.TemporaryDirectory() as home,
        running_service(Path(home), "--max-queue", str(options.queue)) as service,
    ):
        service.client.wait(service.client.animate(service.client.upload(make_sound(10**6)), **QUICK))
        watcher = threading.Thread(target=watch_memory, args=(service, figures, stop))
        context = multiprocessing.get_context("spawn")
        end, answers = context.Event(), context.Queue()
        idle = context.Process(target=serve_nothing, args=(answers,), daemon=True)
        idle.start()
        places = (service.client.url, service.token, f"http://127.0.0.1:{answers.get()}")
        meter = context.Process(target=measure_status, args=(*places, end, answers))
        meter.start()
        watcher.start()
        start = time.perf_counter()
        run_clients(service, options.clients, options.jobs, options.seconds, figures)
        took = time.perf_counter() - start
        stop.set()
        end.set()
        figures.status_ms = answers.get()
        meter.join()
        idle.terminate()
        watcher.join()
        figures.memory_mb[options.jobs] = memory_mb(service)
        counts = service.client.status()["jobs"]
    report(options, figures, took, counts)
    if figures.wrong:
        raise SystemExit("\n".join(figures.wrong[:20]))


def report(options: argparse.Namespace, figures: Figures, took: float, counts: dict[str, int]) -> None:
    """Print what was seen, and write it as JSON where asked."""
    status, nothing = np.array(figures.status_ms).T
    percentiles = {f"status_ms_p{p}": float(np.percentile(status, p)) for p in (50, 95, 99, 100)}
    percentiles |= {f"a server that does nothing, ms_p{p}": float(np.percentile(nothing, p)) for p in (50, 99)}
    early = figures.memory_mb.get(200) or next(iter(figures.memory_mb.values()))
    growth = figures.memory_mb[options.jobs] / early - 1
    values = {
        "machine": describe_machine(),
        "clients": options.clients,
        "accepted": len(figures.accepted),
        "accepted, each once": len(set(figures.accepted)),
        "finished and right": figures.finished,
        "jobs the service counts as done": counts["done"] - 1,  # without the one that warmed it up
        "refused, and accepted later": dict(figures.refusals),
        "wrong": len(figures.wrong),
        "seconds": round(took, 1),
        "jobs_per_second": round(figures.finished / took, 2),
        "status_calls": len(figures.status_ms),
        **{name: round(value, 1) for name, value in percentiles.items()},
        "memory_mb": {mark: round(value) for mark, value in sorted(figures.memory_mb.items())},
        f"memory growth from job 200 (limit {LIMIT_GROWTH:.0%})": f"{growth:+.1%}",
        f"status p99 under {LIMIT_MS:.0f} ms": percentiles["status_ms_p99"] < LIMIT_MS,
    }
    for name, value in values.items():
        print(f"{name:44} {value}")
    if options.json:
        options.json.write_text(json.dumps(values, indent=1) + "\n")


if __name__ == "__main__":
    main()
