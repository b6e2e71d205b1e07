"""The command line run as a person runs it: seconds from start to end and the most memory it took."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Finished:
    """One process: wall seconds, processor seconds, and its largest resident size in megabytes."""

    seconds: float
    processor_seconds: float
    megabytes: float


def run_mouthpiece(*arguments: object) -> Finished:
    """Run `mouthpiece ARGUMENTS`, whose output goes nowhere. Raises RuntimeError where it fails."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "backend", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    size = usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)  # bytes there, kilobytes elsewhere
    return Finished(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, size)


def fastest_run(times: int, *arguments: object) -> Finished:
    """The fastest of several runs: what the program takes where nothing else keeps the machine."""
    return min((run_mouthpiece(*arguments) for _ in range(times)), key=lambda run: run.seconds)
