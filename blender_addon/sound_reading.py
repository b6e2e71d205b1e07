"""Read a sound file as samples for live use: with Blender's own audio library, else plain WAV files; no bpy."""

import wave
from pathlib import Path

import numpy as np

from .errors import AnimationError

RATE = 16_000
"""Samples per second that the backend takes."""


def read_sound(path: Path) -> np.ndarray:
    """(N,) float32, mono, 16 kHz, about -1..1. Raises AnimationError where the file cannot be read."""
    if not path.is_file():
        raise AnimationError(f"There is no sound at {path}; choose an existing file.")
    try:
        import aud  # pyright: ignore[reportMissingImports]
    except ImportError:  # a Blender without Audaspace
        samples, rate = _read_wav(path)
    else:
        samples, rate = _read_any(path, aud)
    if not len(samples):
        raise AnimationError(f"{path.name} holds no sound.")
    return resample(samples.mean(axis=1), rate)


def resample(samples: np.ndarray, rate: float) -> np.ndarray:
    """(n,) at some rate -> (n * 16,000 / rate,) float32: the spectrum cut or filled up at the new Nyquist frequency."""
    target = max(1, round(len(samples) * RATE / rate))
    if target == len(samples):
        return samples.astype(np.float32)
    spectrum = np.fft.rfft(samples)
    resized = np.zeros(target // 2 + 1, complex)
    shared = min(len(resized), len(spectrum))
    resized[:shared] = spectrum[:shared]
    return (np.fft.irfft(resized, target) * (target / len(samples))).astype(np.float32)


def _read_any(path: Path, aud) -> tuple[np.ndarray, float]:
    try:
        sound = aud.Sound(str(path))
        samples = sound.data()
        return np.asarray(samples, np.float32).reshape(len(samples), -1), float(sound.specs[0])
    except aud.error as error:
        raise AnimationError(f"{path.name} cannot be read as a sound ({error}).") from error


def _read_wav(path: Path) -> tuple[np.ndarray, float]:
    try:
        with wave.open(str(path), "rb") as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            content = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise AnimationError(f"{path.name}: this Blender reads WAV files only ({error}).") from error
    if width != 2:
        raise AnimationError(f"{path.name} has {8 * width} bits; this Blender reads WAV files of 16 bits only.")
    return np.frombuffer(content, "<i2").reshape(-1, channels) / np.float32(32768), float(rate)
