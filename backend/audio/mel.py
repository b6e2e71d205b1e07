"""Log-mel energies: the coarse loudness of each frequency band, for measuring speech rather than learning from it."""

import numpy as np

from backend.audio.decode import SAMPLE_RATE
from models.mel import band_edges

HOP = 160
"""Samples between columns: 10 ms."""

WINDOW = 400
"""Samples of a Hann window: 25 ms."""

FFT_LENGTH = 512
BANDS = 40

FLOOR = 1e-8
"""Energy of a band below which it counts as silent: quieter than 16-bit dither."""


def log_mel(samples: np.ndarray) -> np.ndarray:
    """Natural logarithm of the mel band energies, (columns, 40) float32; column k is centred at k * 10 ms.

    samples: (N,) float32, 16 kHz.
    """
    padded = np.pad(np.asarray(samples, np.float32), (WINDOW // 2, WINDOW // 2))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    window, filters = np.hanning(WINDOW).astype(np.float32), mel_filters()
    result = np.empty((len(frames), BANDS), np.float32)
    for start in range(0, len(frames), 4096):  # an hour of sound must not become gigabytes of windows
        spectrum = np.abs(np.fft.rfft(frames[start : start + 4096] * window, FFT_LENGTH)) ** 2 / WINDOW
        result[start : start + 4096] = np.log(spectrum @ filters.T + FLOOR)
    return result


def mel_filters() -> np.ndarray:
    """Triangular filters (40, 257), as wide as the ear tells frequencies apart."""
    hertz = band_edges(BANDS)
    bins = np.fft.rfftfreq(FFT_LENGTH, 1.0 / SAMPLE_RATE)
    low, middle, high = hertz[:-2, None], hertz[1:-1, None], hertz[2:, None]
    return np.maximum(0.0, np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle)))
