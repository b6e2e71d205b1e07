"""The microphone as a stream of samples at 16 kHz that loses no time, even where it loses sound."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from backend.audio.decode import SAMPLE_RATE
from backend.errors import EnvironmentProblem

CAPACITY_SECONDS = 2.0
"""Sound that may wait while the program is held up; what comes on top replaces the oldest."""
BLOCK_SECONDS = 0.01
"""Sound between two calls of the sound card: what it adds to the delay."""
SILENT_SECONDS = 5.0
"""Without a sample, after which the microphone counts as gone."""


class SampleBuffer:
    """Samples between the sound card's thread, which must never wait, and the program's.

    Where the program falls behind by more than the capacity, an overrun, the oldest sound is dropped and comes out as
    silence of the same length: the time of everything after it stays right. `overruns` counts how often.
    """

    def __init__(self, capacity: int = int(CAPACITY_SECONDS * SAMPLE_RATE)) -> None:
        self.overruns = 0
        self._capacity = capacity
        self._chunks: deque[np.ndarray] = deque()
        self._waiting = self._lost = 0
        self._arrived = threading.Condition()

    def put(self, samples: np.ndarray) -> None:
        """Add samples (n,) float32, which the buffer keeps."""
        with self._arrived:
            self._chunks.append(samples)
            self._waiting += len(samples)
            if self._waiting > self._capacity:
                self.overruns += 1
            while self._waiting > self._capacity:
                dropped = len(self._chunks.popleft())
                self._waiting -= dropped
                self._lost += dropped
            self._arrived.notify()

    def take(self, timeout: float) -> np.ndarray:
        """Return all samples that wait, (n,) float32, after at least one came; empty after `timeout` seconds."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._waiting or self._lost, timeout)
            taken = [np.zeros(self._lost, np.float32), *self._chunks]
            self._chunks.clear()
            self._waiting = self._lost = 0
        return np.concatenate(taken)


@contextmanager
def open_microphone(device: str | None = None) -> Iterator[SampleBuffer]:
    """Record from a microphone, by name or number, or the system's own, for as long as the context lasts.

    Raises EnvironmentProblem where there is no microphone, or no library to reach it.
    """
    sounddevice = _load_sounddevice()
    buffer = SampleBuffer()
    name = int(device) if device is not None and device.isdigit() else device
    try:
        rate = int(sounddevice.query_devices(name, "input")["default_samplerate"])
        resample = Resampler(rate)

        def hear(block: np.ndarray, _frames: int, _time: object, _status: object) -> None:
            buffer.put(resample(block[:, 0]))

        stream = sounddevice.InputStream(
            samplerate=rate,
            blocksize=int(rate * BLOCK_SECONDS),
            device=name,
            channels=1,
            dtype="float32",
            latency="low",
            callback=hear,
        )
    except (sounddevice.PortAudioError, ValueError) as error:
        which = "No microphone" if device is None else f"No microphone {device!r}"
        raise EnvironmentProblem(
            f"{which} can be opened ({error}); `python -m sounddevice` lists what there is, choose with --device."
        ) from None
    with stream:
        yield buffer


def listen(buffer: SampleBuffer, seconds: float, clock: Callable[[], float] = time.monotonic) -> Iterator[np.ndarray]:
    """Yield chunks of samples until so many seconds have passed. Raises EnvironmentProblem where none come any more."""
    end = clock() + seconds
    while clock() < end:
        samples = buffer.take(SILENT_SECONDS)
        if not len(samples):
            raise EnvironmentProblem(f"The microphone gave no sound for {SILENT_SECONDS:g} s; is it still connected?")
        yield samples


class Resampler:
    """Blocks of samples at the sound card's rate to 16 kHz, without seams."""

    def __init__(self, rate: int) -> None:
        from av.audio.resampler import AudioResampler

        self._rate = rate
        self._resampler = AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """(n,) float32 -> about n * 16,000 / rate samples, float32, in memory of their own."""
        if self._rate == SAMPLE_RATE:
            return samples.astype(np.float32)
        from av import AudioFrame

        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples[None], np.float32), format="flt", layout="mono")
        frame.sample_rate = self._rate
        pieces = [piece.to_ndarray()[0] for piece in self._resampler.resample(frame)]
        return np.concatenate([np.zeros(0, np.float32), *pieces])


def _load_sounddevice() -> Any:
    try:
        import sounddevice  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise EnvironmentProblem(
            "Live sound needs the library sounddevice; install it with "
            "`.venv/bin/python -m pip install -r requirements/live.txt`."
        ) from None
    except OSError:  # what it raises where the system has no PortAudio
        raise EnvironmentProblem(
            "Live sound needs the system library PortAudio; on Debian or Ubuntu `sudo apt install libportaudio2`."
        ) from None
    return sounddevice
