"""Sound that is heard now, as frames of a face: a file through the service, or the backend's microphone; no bpy."""

import json
import queue
import struct
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import numpy as np

from .backend_process import BackendChoice, microphone_log, place_of
from .background import Background
from .client import Client
from .errors import BackendError
from .sound_reading import RATE, read_sound
from .watched import end_watched, start_watched
from .websocket import WebSocket

BLOCK = 320
"""Samples in which a file is sent: 20 ms."""
HEAD = struct.Struct("<If")
"""Of a frame: its number, its time in seconds; the 52 weights follow."""
START_SECONDS = 60.0
END_SECONDS = 10.0


@dataclass(frozen=True)
class LiveFrame:
    """One frame of the face."""

    time: float
    """Seconds from the start of the sound."""
    weights: np.ndarray
    """(52,) float32, in the order of the stream's names."""


@dataclass(frozen=True)
class LiveRequest:
    """What is heard, and how its frames are to be."""

    actor: str
    fps: float
    look_ahead: float
    sound: Path | None = None
    """A file; None for the microphone."""
    device: str = ""
    """The microphone's name or number; the system's own where it is empty."""


class LiveStream:
    """Frames as they arrive; `frames` is filled by the working thread and emptied by the main one."""

    def __init__(self, request: LiveRequest, choice: BackendChoice, connect: Callable[[], Client]) -> None:
        self.frames: deque[LiveFrame] = deque()
        self.names: tuple[str, ...] = ()
        self.request = request
        self._choice, self._connect = choice, connect
        self._stop = threading.Event()

    def stop(self) -> None:
        """Let the stream end in good order: what has arrived stays."""
        self._stop.set()

    def work(self, background: Background) -> int:
        """Receive frames until the sound ends or is stopped; returns their number. Called in the thread."""
        background.say("starting the backend")
        if self.request.sound is None:
            return self._listen(background)
        return self._play(background, read_sound(self.request.sound))

    def _play(self, background: Background, samples: np.ndarray) -> int:
        """Send a recording in its own time, as a microphone would."""
        client, request = self._connect(), self.request
        asked = {"actor": request.actor, "fps": f"{request.fps:.6f}", "look_ahead": f"{request.look_ahead:g}"}
        connection = WebSocket(client.url, f"/v1/live?{urlencode(asked)}", client.headers)
        try:
            count = self._receive_ready(background, connection)
            begun, sent = time.monotonic(), 0
            while sent < len(samples) and not self._stop.is_set() and not connection.closed:
                background.say("live", sent / len(samples))
                due = min(len(samples), int((time.monotonic() - begun) * RATE) // BLOCK * BLOCK)
                if due > sent:
                    connection.send(samples[sent:due].astype("<f4").tobytes())
                    sent = due
                count += self._receive(connection, BLOCK / RATE / 2)
            return count + self._receive_rest(connection)
        finally:
            connection.close()

    def _receive_ready(self, background: Background, connection: WebSocket) -> int:
        end = time.monotonic() + START_SECONDS
        while not self.names:
            background.check()
            self._receive(connection, 0.05)
            if connection.closed or time.monotonic() > end:
                raise BackendError(connection.closed or "The backend did not begin; try again.")
        return 0

    def _receive_rest(self, connection: WebSocket) -> int:
        if connection.closed:
            raise BackendError(connection.closed)
        connection.send('{"type": "end"}')
        end, count = time.monotonic() + END_SECONDS, 0
        self._ended = False
        while not self._ended and not connection.closed and time.monotonic() < end:
            count += self._receive(connection, 0.05)
        return count

    _ended = False

    def _receive(self, connection: WebSocket, seconds: float) -> int:
        """Take in what has arrived; returns the number of frames."""
        count = 0
        for message in connection.messages(seconds):
            if isinstance(message, str):
                self._take_words(json.loads(message))
            else:
                _, when = HEAD.unpack_from(message)
                weights = np.frombuffer(message, "<f4", len(self.names), HEAD.size)
                self.frames.append(LiveFrame(when, weights))
                count += 1
        return count

    def _take_words(self, words: dict) -> None:
        if words.get("type") == "error":
            raise BackendError(str(words.get("error")))
        if words.get("type") == "ready":
            self.names = tuple(words["names"])
        self._ended = words.get("type") == "end"

    def _listen(self, background: Background) -> int:
        """Let the backend listen to its microphone, and take the frames that it prints."""
        if self._choice.address:
            raise BackendError("The microphone needs a backend on this computer; the service in use is elsewhere.")
        process, lines = self._start_listening()
        count = 0
        try:
            background.say("listening")
            while not self._stop.is_set():
                background.check()
                try:
                    line = lines.get(timeout=0.05)
                except queue.Empty:
                    continue
                if line is None:
                    break
                self._take_line(line)
                count += 1
        finally:
            end_watched(process)
        if not count and not self._stop.is_set():
            words = microphone_log().read_text("utf-8", errors="replace").strip().splitlines()[-1:] or [
                "it said nothing"
            ]
            raise BackendError(f"The microphone cannot be used: {words[0].removeprefix('mouthpiece: error: ')}")
        return count

    def _start_listening(self) -> tuple[subprocess.Popen, queue.SimpleQueue]:
        python, folder = place_of(self._choice)
        request = self.request
        command = [str(python), "-m", "backend", "live", "--actor", request.actor, "--fps", f"{request.fps:.6f}"]
        command += [
            "--look-ahead",
            f"{request.look_ahead:g}",
            *(["--device", request.device] if request.device else []),
        ]
        microphone_log().parent.mkdir(parents=True, exist_ok=True)
        with microphone_log().open("wb") as log:
            process = start_watched(str(python), command, folder, subprocess.PIPE, log)
        lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        threading.Thread(target=_read_lines, args=(process, lines), name="mouthpiece", daemon=True).start()
        return process, lines

    def _take_line(self, line: bytes) -> None:
        content = json.loads(line)
        self.names = self.names or tuple(content["weights"])
        weights = np.array([content["weights"][name] for name in self.names], np.float32)
        self.frames.append(LiveFrame(float(content["time"]), weights))


def _read_lines(process: subprocess.Popen, lines: queue.SimpleQueue) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put(None)
