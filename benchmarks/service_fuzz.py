"""10,000 mutated recordings and actors sent to a running service: no crash, no hang, no leak, every refusal a sentence.

Run: `python3 build.py bench service_fuzz`; `--schema` also lets schemathesis try every route of the OpenAPI document.
"""

import argparse
import json
import random
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from backend.service.client import Client, ServiceError
from benchmarks.machine import describe_machine
from benchmarks.service_load import memory_mb
from tests.backend.service.mutations import good_sounds, mutate, mutate_actor, small_actor
from tests.backend.service.running import QUICK, RunningService, make_sound, running_service
from tests.backend.service.schema_check import check_schema

HANG_SECONDS = 30.0
SENDERS = 4
PARTS = 5
PHASES = "examples,coverage,fuzzing,stateful"


class Fuzzer:
    """Sends mutated files from several threads and keeps what came back."""

    def __init__(self, service: RunningService, folder: Path) -> None:
        self._service, self._folder = service, folder
        self._sounds = good_sounds(folder)
        (folder / "small").mkdir()
        self._actor = small_actor(folder / "small")
        self.statuses: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.slowest = 0.0

    def run(self, kind: str, numbers: range) -> None:
        """Send the files of these numbers, "sound" or "actor"."""
        shares = [numbers[sender::SENDERS] for sender in range(SENDERS)]
        threads = [threading.Thread(target=self._send_share, args=(kind, share)) for share in shares]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _send_share(self, kind: str, numbers: range) -> None:
        client = self._service.client
        for number in numbers:
            start = time.monotonic()
            try:
                self._send(client, kind, number)
            except Exception as error:
                self.wrong.append(f"{kind} {number}: {type(error).__name__}: {error}")
            self.slowest = max(self.slowest, time.monotonic() - start)

    def _send(self, client: Client, kind: str, number: int) -> None:
        chance = random.Random(number)
        try:
            if kind == "sound":
                client.upload(mutate(self._sounds[number % len(self._sounds)], chance))
            else:
                path = self._folder / f"{number % SENDERS}.zip"
                path.write_bytes(mutate_actor(self._actor, chance))
                client.install_actor(path)
            self.statuses[f"{kind} taken"] += 1
        except ServiceError as error:
            self.statuses[f"{kind} refused with {error.status}"] += 1
            if not 400 <= error.status < 500 or not str(error).endswith(".") or len(str(error)) > 700:
                self.wrong.append(f"{kind} {number}: {error.status} {error}")


def fuzz(sounds: int, actors: int) -> tuple[dict[str, object], list[str]]:
    """Send everything; returns the figures and what was wrong."""
    with tempfile.TemporaryDirectory() as folder, running_service(Path(folder) / "home") as service:
        fuzzer = Fuzzer(service, Path(folder))
        start, processes = time.monotonic(), set()
        memory, files = [], []
        for part in range(PARTS):
            fuzzer.run("sound", range(sounds * part // PARTS, sounds * (part + 1) // PARTS))
            fuzzer.run("actor", range(actors * part // PARTS, actors * (part + 1) // PARTS))
            processes = processes or set(service.workers())
            memory.append(round(memory_mb(service)))
            files.append(open_files(service))
        took = time.monotonic() - start
        job = service.client.wait(service.client.animate(service.client.upload(make_sound(1)), **QUICK))
        figures = {
            "files": sounds + actors,
            **dict(sorted(fuzzer.statuses.items())),
            "not a 4xx with a sentence": len(fuzzer.wrong),
            "slowest answer in seconds": round(fuzzer.slowest, 2),
            "hung": int(fuzzer.slowest > HANG_SECONDS),
            "processes started again": len(processes - set(service.workers())),
            "memory_mb after each fifth": memory,
            "open files after each fifth": files,
            "a job afterwards": job.state,
            "seconds": round(took),
        }
    return figures, fuzzer.wrong


def open_files(service: RunningService) -> int:
    """Of the service itself."""
    assert service.process is not None
    return len(list(Path(f"/proc/{service.process.pid}/fd").iterdir()))


def main() -> None:
    """Print the table; exit code 1 where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sounds", type=int, default=8000)
    parser.add_argument("--actors", type=int, default=2000)
    parser.add_argument("--schema", action="store_true")
    parser.add_argument("--examples", type=int, default=50, help="of schemathesis for each route")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    print(describe_machine(), flush=True)
    figures, wrong = fuzz(options.sounds, options.actors)
    for name, value in figures.items():
        print(f"{name:44} {value}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    failed = check_schema(options.examples, PHASES) if options.schema else 0
    if wrong or failed:
        raise SystemExit("\n".join(wrong[:20]) or "schemathesis found something; see above")


if __name__ == "__main__":
    main()
