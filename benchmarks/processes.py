"""The command line run as a person runs it: seconds from start to end and the most memory it took."""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Finished:
    """One process: wall seconds, processor seconds, and its largest resident size in megabytes."""

    seconds: float
    processor_seconds: float
    megabytes: float


def run_mouthpiece(*arguments: object) -> Finished:
    """Run `mouthpiece ARGUMENTS`, whose output goes nowhere. Raises RuntimeError where it fails.

    A small process starts it and measures: Linux counts the memory of whoever starts a process as the process's own.
    """
    done = subprocess.run([sys.executable, __file__, *map(str, arguments)], stdout=subprocess.PIPE)
    if done.returncode:
        raise RuntimeError(f"mouthpiece {' '.join(map(str, arguments))} ended with {done.returncode}")
    return Finished(**json.loads(done.stdout))


def _measure(arguments: list[str]) -> int:
    """Run the program and print what it took as JSON; returns its exit code."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "backend", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    size = usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)  # bytes there, kilobytes elsewhere
    taken = Finished(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, size)
    print(json.dumps(asdict(taken)))
    return process.returncode


def fastest_run(times: int, *arguments: object) -> Finished:
    """The fastest of several runs: what the program takes where nothing else keeps the machine."""
    return min((run_mouthpiece(*arguments) for _ in range(times)), key=lambda run: run.seconds)


if __name__ == "__main__":
    sys.exit(_measure(sys.argv[1:]))
