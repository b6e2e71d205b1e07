"""A real service in a process of its own, for tests and benchmarks."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from backend.service.client import Client, ServiceError

ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 120
QUICK = {"texture": False}
"""Options under which an animation takes as little as it can."""


class RunningService:
    """`mouthpiece serve` with a home of its own; can be killed and started again."""

    def __init__(self, home: Path, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self.home, self.data = home, home / "service"
        self._arguments = ["--port", "0", *arguments]
        self._environment = {**os.environ, "MOUTHPIECE_HOME": str(home), "OMP_NUM_THREADS": "1", **(environment or {})}
        self.process: subprocess.Popen | None = None

    def start(self, wait: bool = True) -> "RunningService":
        """Start it; with `wait` until it answers."""
        (self.home / "service.json").unlink(missing_ok=True)
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "output.txt").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "backend", "serve", *self._arguments],
                cwd=ROOT,
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        if wait:
            self.wait_until_it_answers()
        return self

    def wait_until_it_answers(self) -> None:
        """Fails with what the service printed."""
        assert self.process is not None
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(ServiceError):
                self.client.health()
                return
            time.sleep(0.02)
        raise AssertionError(f"The service did not start: {self.output}")

    @property
    def output(self) -> str:
        """What it printed."""
        return (self.home / "output.txt").read_text()

    @property
    def client(self) -> Client:
        """A client that found it as the add-on does."""
        return Client.find(self.home)

    @property
    def note(self) -> dict:
        """Where it is."""
        return json.loads((self.home / "service.json").read_text())

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.note["url"].removeprefix("http://").rpartition(":")
        return host, int(port)

    @property
    def token(self) -> str:
        """The bearer token."""
        return (self.data / "token").read_text()

    @property
    def log(self) -> list[dict]:
        """The structured log."""
        return [json.loads(line) for line in (self.data / "service.log").read_text().splitlines()]

    def workers(self) -> list[int]:
        """Process ids of its workers."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(word) for word in children.read_text().split()]

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self, by: int = signal.SIGTERM) -> int:
        """As a person would; returns the exit code."""
        assert self.process is not None
        self.process.send_signal(by)
        return self.process.wait(30)


@contextlib.contextmanager
def running_service(home: Path, *arguments: str, environment: dict[str, str] | None = None) -> Iterator[RunningService]:
    """A service that is gone when the block ends."""
    service = RunningService(home, *arguments, environment=environment).start()
    try:
        yield service
    finally:
        if service.process is not None and service.process.poll() is None:
            service.kill()


def make_sound(number: int, seconds: float = 1.0) -> bytes:
    """A wav file of a tone with a rhythm, another one for each number."""
    rate = 16_000
    times = np.arange(int(rate * seconds)) / rate
    tone = np.sin(2 * np.pi * (110 + number % 997) * times) * (0.5 + 0.5 * np.sin(2 * np.pi * 4 * times))
    samples = (tone * 12_000 + number % 7).astype("<i2")
    samples[0] = number % 30_000
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return buffer.getvalue()
