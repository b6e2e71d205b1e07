"""The level of live sound, known only up to now: what `level_gain` is for a whole recording."""

import math

import numpy as np

from backend.audio.spectrogram import PIECE, SOUNDING, SPEECH_RMS, piece_power

MEMORY = 500
"""Sounding pieces (20 ms each) after which a level counts for 1/e: 10 s of speech."""
PRIOR = 25
"""Sounding pieces as which the usual level counts before anything is heard: half a second."""
MOST_GAIN = 30.0
"""A quieter microphone stays too quiet: the noise of a silent room must not become speech."""


class RunningLevel:
    """Gain at every position of a stream, from what was heard until there, however it was cut into chunks.

    The same measure as for recordings, 20 ms pieces within 30 dB of the loudest, with a memory that fades while
    somebody speaks and stands still in silence.
    """

    def __init__(self) -> None:
        self._loudest = self._energy = SPEECH_RMS**2
        self._count = PRIOR
        self._gains = [1.0]  # after each whole piece, from piece `_first` on
        self._first = 0
        self._rest = np.zeros(0, np.float32)

    def feed(self, samples: np.ndarray) -> None:
        """Hear the next samples (n,) float32."""
        samples = np.concatenate([self._rest, samples])
        whole = len(samples) // PIECE * PIECE
        for power in piece_power(samples[:whole]):
            self._hear(float(power))
            self._gains.append(min(MOST_GAIN, SPEECH_RMS / math.sqrt(self._energy)))
        self._rest = samples[whole:]

    def gains(self, positions: np.ndarray) -> np.ndarray:
        """Gains (C,) float32 at sample positions (C,) from the stream's start; after its end the last one."""
        pieces = np.clip(positions // PIECE - self._first, 0, len(self._gains) - 1)
        return np.array(self._gains, np.float32)[pieces]

    def forget(self, position: int) -> None:
        """Drop the gains before a sample position that nobody will ask for again."""
        count = min(max(0, position // PIECE - self._first), len(self._gains) - 1)
        del self._gains[:count]
        self._first += count

    def _hear(self, power: float) -> None:
        if power <= self._loudest * SOUNDING:
            return
        self._count = min(MEMORY, self._count + 1)
        self._energy += (power - self._energy) / self._count
        self._loudest = max(power, self._loudest * (1 - 1 / MEMORY))
