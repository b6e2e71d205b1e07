"""The service's end of a worker process: start it, give it a task, follow it, stop it."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

LOG = logging.getLogger("mouthpiece.worker")
LONGEST_LINE = 1 << 22
"""Bytes of one message."""
START_SECONDS = 300.0
"""Within which a worker must be ready; importing the networks from a slow disk takes its time."""
ROOT = Path(__file__).resolve().parents[2]
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "SYSTEMROOT", "MOUTHPIECE_HOME", "XDG_DATA_HOME", "LD_LIBRARY_PATH")
"""Of the environment that reaches the worker, besides what tunes the libraries."""
TUNING = ("OMP_", "MKL_", "TORCH_", "CUDA_", "OPENBLAS_", "LD_PRELOAD", "FAKETIME", "MOUTHPIECE_")


class WorkerDied(Exception):
    """The process ended, or had to be ended, before the task did; the text says why, in half a sentence."""


class WorkerProcess:
    """One worker; started at the first task, and again after it died.

    name: for the log. memory_mb: address space it may use. warm: load the networks at the start.
    """

    def __init__(self, name: str, memory_mb: int, warm: bool = False, niceness: int = 5) -> None:
        self.name = name
        self.starts = 0
        self._options = ["--memory-mb", str(memory_mb), "--niceness", str(niceness), *(["--warm"] if warm else [])]
        self._process: asyncio.subprocess.Process | None = None
        self._log: asyncio.Task | None = None
        self._killed = False
        """The process was told to end, and may not be gone yet."""

    @property
    def alive(self) -> bool:
        """Whether there is a process to give tasks to."""
        return self._process is not None and self._process.returncode is None and not self._killed

    async def start(self) -> None:
        """Start the process where there is none and wait until it is ready. Raises WorkerDied."""
        if self.alive:
            return
        await self.stop()
        self.starts += 1
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "backend.service.worker",
            *self._options,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env=_environment(),
            start_new_session=os.name != "nt",
            limit=LONGEST_LINE,
        )
        self._killed = False
        self._log = asyncio.create_task(self._keep_log(self._process))
        message = await self._receive(START_SECONDS)
        if "ready" not in message:
            raise WorkerDied("it did not start")

    async def run(
        self, task: dict[str, Any], follow: Callable[[dict[str, Any]], None], silence: float, most: float | None = None
    ) -> dict[str, Any]:
        """Do a task; `follow` hears its progress. Returns its outcome: finished, failed or cancelled.

        silence: longest time in seconds between two messages; most: longest time for the whole task.
        Raises WorkerDied when the process ended, or took longer and was ended. One whose task is broken off is ended
        too: its answer must not reach the next task.
        """
        try:
            await self.start()
            self._tell(task)
            deadline = asyncio.get_running_loop().time() + (most or float("inf"))
            while True:
                patience = min(silence, deadline - asyncio.get_running_loop().time())
                message = await self._receive(max(0.0, patience))
                if message.keys() & {"finished", "failed", "cancelled"}:
                    return message
                follow(message)
        except asyncio.CancelledError:
            self.kill()
            raise

    def feed(self, piece: dict[str, Any]) -> None:
        """Hand a piece to the task that is being done."""
        self._tell({"piece": piece})

    def cancel(self) -> None:
        """Ask the process to stop its task."""
        if self.alive:
            self._tell({"cancel": True})

    def kill(self) -> None:
        """End the process and everything that it started, at once."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        self._killed = True
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.name == "nt":
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)

    async def stop(self) -> None:
        """End the process and wait until it is gone."""
        self.kill()
        if self._process is not None:
            await self._process.wait()
        if self._log is not None:
            self._log.cancel()

    def _tell(self, message: dict[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):  # its end is noticed where it is read from
            self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def _receive(self, patience: float) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), patience)
            if line:
                return json.loads(line)
        except TimeoutError:
            await self.stop()
            raise WorkerDied(f"it gave no sign of life for {patience:.0f} s and was ended") from None
        except ValueError:
            await self.stop()
            raise WorkerDied("it sent something that is no message") from None
        self.kill()  # what it started must not outlive it
        raise WorkerDied(_how_it_ended(await self._process.wait()))

    async def _keep_log(self, process: asyncio.subprocess.Process) -> None:
        """What libraries print goes to the log, a line at a time."""
        assert process.stderr is not None
        with contextlib.suppress(ValueError):
            async for line in process.stderr:
                text = line.decode("utf-8", "replace").rstrip()[:500]
                LOG.debug("worker output", extra={"worker": self.name, "text": text})


def _how_it_ended(status: int) -> str:
    if status == -getattr(signal, "SIGXCPU", 0):
        return "it used up its processor time"
    if status < 0:
        try:
            return f"it was ended by {signal.Signals(-status).name}"
        except ValueError:
            return f"it was ended by signal {-status}"
    return f"it ended with exit code {status}"


def _environment() -> dict[str, str]:
    """What a worker needs of the environment, and no more: secrets of other programs stay outside."""
    chosen = {key: value for key, value in os.environ.items() if key in INHERITED or key.startswith(TUNING)}
    return chosen | {"PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
