"""Random changes to the training sound that leave the mouth's motion as it is."""

import numpy as np
import scipy.signal

from backend.audio.decode import SAMPLE_RATE
from backend.audio.spectrogram import BINS, COMPRESSION, SPEECH_RMS
from backend.training.config import AugmentConfig


def change_speed(samples: np.ndarray, times: np.ndarray, factor: float) -> tuple[np.ndarray, np.ndarray]:
    """Play a sound `factor` times as fast, and move the frames' times along.

    samples: (n,) float32; times: (T,) seconds. Returns the same two for the new sound.
    """
    positions = np.arange(0, len(samples) - 1, factor)
    return np.interp(positions, np.arange(len(samples)), samples).astype(np.float32), times / factor


def augment_samples(samples: np.ndarray, config: AugmentConfig, rng: np.random.Generator) -> np.ndarray:
    """Add a room and noise to level-normalised samples (n,) float32."""
    if rng.random() < config.reverb_probability:
        samples = add_reverb(samples, rng.uniform(0.1, 0.5), rng)
    if rng.random() < config.noise_probability:
        level = SPEECH_RMS * 10 ** (-rng.uniform(*config.noise_db) / 20)
        samples = samples + coloured_noise(len(samples), level, rng)
    return samples


def add_reverb(samples: np.ndarray, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Convolve with exponentially decaying noise that falls by 60 dB in `seconds`; the direct sound stays in time."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    tail = rng.standard_normal(len(time)) * 10 ** (-3 * time / seconds)
    tail *= rng.uniform(0.2, 0.7) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return scipy.signal.fftconvolve(samples, tail)[: len(samples)].astype(np.float32)


def coloured_noise(length: int, level: float, rng: np.random.Generator) -> np.ndarray:
    """Noise (length,) float32 of RMS `level`, its spectrum falling by 0 (white) to 6 dB an octave."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    frequency = np.maximum(np.arange(len(spectrum)), 1) / length * SAMPLE_RATE
    noise = np.fft.irfft(spectrum * (50 + frequency) ** -rng.uniform(0, 1), length)
    return (noise * (level / max(np.sqrt(np.mean(noise**2)), 1e-12))).astype(np.float32)


def augment_columns(columns: np.ndarray, config: AugmentConfig, rng: np.random.Generator) -> np.ndarray:
    """Change level, microphone and vocal tract of one stretch, and blank parts of it.

    columns: (C, 2, 256) float32 as `spectrogram_windows` gives them, in order of time.
    """
    warp = np.exp(rng.uniform(-1, 1) * np.log1p(config.formant))
    columns = columns[:, :, np.clip(np.rint(np.arange(BINS) * warp), 0, BINS - 1).astype(int)]
    curve_db = np.interp(np.arange(BINS), np.linspace(0, BINS, 6), rng.uniform(-1, 1, 6) * config.tilt_db / 2)
    curve_db += rng.uniform(-1, 1) * config.gain_db
    columns = columns * (10 ** (curve_db / 20 * COMPRESSION)).astype(np.float32)
    columns[:, :, random_span(BINS, config.frequency_mask, rng)] = 0
    columns[random_span(len(columns), config.time_mask, rng)] = 0
    return columns


def random_span(length: int, longest: int, rng: np.random.Generator) -> slice:
    """A random stretch of at most `longest` of `length` places."""
    span = int(rng.integers(0, min(longest, length) + 1))
    start = int(rng.integers(0, length - span + 1))
    return slice(start, start + span)
