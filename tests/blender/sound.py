"""Sounds for the tests, written with the standard library."""

import wave
from pathlib import Path

import numpy as np

RATE = 16000  # samples per second


def write_tone(path: Path, seconds: float) -> Path:
    """A 220 Hz tone as a 16-bit mono WAV file."""
    samples = np.sin(2 * np.pi * 220 * np.arange(round(seconds * RATE)) / RATE)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples * 8000).astype("<i2").tobytes())
    return path
