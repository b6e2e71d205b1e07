"""Random changes to spectrogram magnitudes that leave what is said as it is: cheap enough for every stretch anew."""

import numpy as np

from backend.audio.spectrogram import BINS, COMPRESSION

VOCAL_TRACT = 0.17
"""Largest stretch of the frequency axis: other vocal tracts (VTLP, Jaitly and Hinton 2013)."""
EQUALISER_DB = 4.0
"""Deviation of a smooth random curve over frequency: other microphones and rooms."""
GAIN_DB = (-10.0, 6.0)
NOISE_CHANCE, NOISE_DB = 0.6, (0.0, 35.0)
"""How often noise is added, and how far below the speech."""
FREQUENCY_MASK, TIME_MASK = 28, 10
"""Most bins, most columns that are blanked (SpecAugment, Park et al. 2019)."""
TELEPHONE_CHANCE, TELEPHONE_BINS = 0.15, (105, 140)
"""How often everything above 3.3 to 4.4 kHz is lost."""


def augment_magnitudes(columns: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change vocal tract, microphone, level and noise of one stretch, and blank parts: (C, 256) float32, compressed."""
    magnitude = _warp(columns, float(np.exp(rng.uniform(-VOCAL_TRACT, VOCAL_TRACT)))) ** (1 / COMPRESSION)
    curve = np.interp(np.arange(BINS), np.linspace(0, BINS - 1, 7), rng.normal(0, EQUALISER_DB, 7))
    magnitude *= (10 ** ((curve + rng.uniform(*GAIN_DB)) / 20)).astype(np.float32)
    if rng.random() < NOISE_CHANCE:
        magnitude = _add_noise(magnitude, rng)
    columns = magnitude**COMPRESSION
    columns[:, _span(BINS, FREQUENCY_MASK, rng)] = 0
    columns[_span(len(columns), TIME_MASK, rng)] = 0
    if rng.random() < TELEPHONE_CHANCE:
        columns[:, int(rng.integers(*TELEPHONE_BINS)) :] = 0
    return columns.astype(np.float32, copy=False)


def _warp(columns: np.ndarray, factor: float) -> np.ndarray:
    """Read bin k at k * factor."""
    places = np.clip(np.arange(BINS) * factor, 0, BINS - 1)
    low = places.astype(int)
    part = (places - low).astype(np.float32)
    return columns[:, low] * (1 - part) + columns[:, np.minimum(low + 1, BINS - 1)] * part


def random_noise(count: int, rng: np.random.Generator) -> np.ndarray:
    """Noise without a voice, as loud as level normalisation makes the faintest hiss: (count, 256) float32."""
    silent = np.full((count, BINS), rng.uniform(0.02, 2.0), np.float32)
    return augment_magnitudes(_add_noise(silent, rng, 0.0) ** COMPRESSION, rng)


def _add_noise(magnitude: np.ndarray, rng: np.random.Generator, below: float | None = None) -> np.ndarray:
    """Add noise of a random smooth spectrum with random phases; some of it comes and goes as babble does.

    below: decibels below the magnitudes, random where not given.
    """
    decibels = rng.uniform(*NOISE_DB) if below is None else below
    level = np.sqrt(np.mean(magnitude**2) + 1e-12) * 10 ** (-decibels / 20)
    shape = 10 ** (np.interp(np.arange(BINS), np.linspace(0, BINS - 1, 6), rng.normal(0, 6, 6)) / 20)
    shape *= (30.0 + np.arange(BINS)) ** -rng.uniform(0, 0.8)
    shape *= level / np.sqrt(np.mean(shape**2))
    if rng.random() < 0.4:
        knots = np.arange(0, len(magnitude) + 12, 12)
        swell = 10 ** (np.interp(np.arange(len(magnitude)), knots, rng.normal(-3, 6, len(knots))) / 20)
        shape = shape * swell[:, None]
    noise = rng.standard_normal((2, *magnitude.shape), np.float32) * (shape / np.sqrt(2)).astype(np.float32)
    return np.hypot(magnitude + noise[0], noise[1])


def _span(length: int, longest: int, rng: np.random.Generator) -> slice:
    start = int(rng.integers(0, length))
    return slice(start, start + int(rng.integers(0, longest + 1)))
