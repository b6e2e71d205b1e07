"""Sound of any length to measure with, made of the shipped sample."""

import wave
from pathlib import Path

import numpy as np

from backend.audio.decode import SAMPLE_RATE, decode_audio

SAMPLE = Path(__file__).resolve().parents[1] / "backend" / "samples" / "speech.flac"
BLOCK = 60 * SAMPLE_RATE
"""Samples written in one go."""


def speech(seconds: float, start: float = 0.0) -> np.ndarray:
    """(n,) float32 at 16 kHz: the sample from `start` seconds on, again and again."""
    sample = decode_audio(SAMPLE)
    return np.resize(np.roll(sample, -int(start * SAMPLE_RATE)), int(seconds * SAMPLE_RATE))


def write_speech(path: Path, seconds: float, start: float = 0.0) -> Path:
    """Write `speech` as 16-bit wav; returns the path."""
    sample = speech(min(seconds, BLOCK / SAMPLE_RATE), start)
    data = (sample * 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        left = int(seconds * SAMPLE_RATE)
        while left > 0:
            file.writeframesraw(data[:left].tobytes())
            left -= len(data)
    return path


def write_lines(folder: Path, count: int, seconds: float = 2.0) -> list[Path]:
    """Write short recordings that differ; returns their paths."""
    sample = len(decode_audio(SAMPLE)) / SAMPLE_RATE
    starts = np.random.default_rng(0).uniform(0, sample, count)
    return [write_speech(folder / f"line{number:03d}.wav", seconds, start) for number, start in enumerate(starts)]
