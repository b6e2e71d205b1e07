"""The mel scale: bands as wide as the ear tells frequencies apart."""

import numpy as np

MEL_BANDS = 80
LOWEST, HIGHEST = 60.0, 7600.0
"""Hz."""
BINS, BIN_HZ = 256, 31.25


def band_edges(bands: int) -> np.ndarray:
    """(bands + 2,) Hz, evenly on the mel scale of O'Shaughnessy (1987): 2595 log10(1 + f / 700)."""
    lowest, highest = (2595 * np.log10(1 + hertz / 700) for hertz in (LOWEST, HIGHEST))
    return 700 * (10 ** (np.linspace(lowest, highest, bands + 2) / 2595) - 1)


def mel_weights() -> np.ndarray:
    """(80, 256) float32: how much each spectrum bin (31.25 Hz to 8 kHz) counts in each triangular band."""
    edges = band_edges(MEL_BANDS)
    frequency = np.arange(1, BINS + 1) * BIN_HZ
    rise = (frequency - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - frequency) / (edges[2:] - edges[1:-1])[:, None]
    weights = np.clip(np.minimum(rise, fall), 0, None)
    # Below 1 kHz a band is narrower than the bins are apart, and may fall between two of them.
    nearest = np.abs(frequency[None] - edges[1:-1, None]).argmin(1)
    weights[np.arange(MEL_BANDS), nearest] += weights.sum(1) == 0
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def stretch(factor: float) -> np.ndarray:
    """(256, 256) float32: magnitudes times it are those of a vocal tract `factor` times as long.

    Bin k is read at k * factor, between two bins; beyond the last one there is nothing.
    """
    places = np.arange(BINS) * factor
    inside = np.flatnonzero(places <= BINS - 1)
    low = places[inside].astype(int)
    part = places[inside] - low
    matrix = np.zeros((BINS, BINS), np.float32)
    matrix[low, inside] = 1 - part
    matrix[np.minimum(low + 1, BINS - 1), inside] += part
    return matrix
