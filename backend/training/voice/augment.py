"""Random changes to spectrogram magnitudes that leave what is said as it is: cheap enough for every stretch anew."""

from collections.abc import Callable

import numpy as np
from scipy.signal import lfilter

from backend.audio.spectrogram import BINS, COMPRESSION, HOP_SECONDS
from models.mel import stretch

BIN_HERTZ = 31.25
VOCAL_TRACT, FAR_VOCAL_TRACT, FAR_CHANCE = 0.17, 0.4, 0.4
"""Largest stretch of the frequency axis, natural logarithm: other vocal tracts (VTLP, Jaitly and Hinton 2013); how far
it goes in how many of the stretches, for voices moved by half an octave."""
EQUALISER_DB = 4.0
"""Deviation of a smooth random curve over frequency: other microphones and rooms."""
GAIN_DB = (-10.0, 6.0)
NOISE_CHANCE, NOISE_DB = 0.4, (0.0, 35.0)
"""How often noise is added, and how far below the speech."""
BABBLE_CHANCE, MUSIC_CHANCE, BACKGROUND_DB = 0.2, 0.12, (5.0, 25.0)
"""How often other voices, and how often music is added instead of noise, and how far below the speech."""
FREQUENCY_MASK, TIME_MASK = 28, 10
"""Most bins, most columns that are blanked (SpecAugment, Park et al. 2019)."""
TELEPHONE_CHANCE, TELEPHONE_LOW, TELEPHONE_HIGH = 0.2, (0, 13), (100, 140)
"""How often everything is lost below 0 to 0.4 kHz and above 3.1 to 4.4 kHz: ranges of bins."""
ROOM_CHANCE, ROOM_SECONDS, ROOM_DB = 0.25, (0.15, 0.7), (-2.0, 15.0)
"""How often a room answers, how long until that is 60 dB fainter, and how far below the voice it is."""


def augment_magnitudes(
    columns: np.ndarray, rng: np.random.Generator, babble: Callable[[int], np.ndarray] | None = None
) -> np.ndarray:
    """Change vocal tract, microphone, level and noise of one stretch, and blank parts: (C, 256) float32, compressed.

    babble: gives so many columns of other voices, (C, 256) float32, not compressed.
    """
    far = FAR_VOCAL_TRACT if rng.random() < FAR_CHANCE else VOCAL_TRACT
    magnitude = (columns @ stretch(float(np.exp(rng.uniform(-far, far))))) ** (1 / COMPRESSION)
    if rng.random() < ROOM_CHANCE:
        magnitude = _in_room(magnitude, rng)
    curve = np.interp(np.arange(BINS), np.linspace(0, BINS - 1, 7), rng.normal(0, EQUALISER_DB, 7))
    magnitude *= (10 ** ((curve + rng.uniform(*GAIN_DB)) / 20)).astype(np.float32)
    kind = rng.random()
    if kind < BABBLE_CHANCE and babble is not None:
        magnitude = _mix(magnitude, babble(len(magnitude)), rng)
    elif kind < BABBLE_CHANCE + MUSIC_CHANCE:
        magnitude = _mix(magnitude, _music(len(magnitude), rng), rng)
    elif kind < BABBLE_CHANCE + MUSIC_CHANCE + NOISE_CHANCE:
        magnitude = _add_noise(magnitude, rng)
    columns = magnitude**COMPRESSION
    columns[:, _span(BINS, FREQUENCY_MASK, rng)] = 0
    columns[_span(len(columns), TIME_MASK, rng)] = 0
    if rng.random() < TELEPHONE_CHANCE:
        columns[:, : int(rng.integers(*TELEPHONE_LOW))] = 0
        columns[:, int(rng.integers(*TELEPHONE_HIGH)) :] = 0
    return columns.astype(np.float32, copy=False)


def _in_room(magnitude: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add to the power of each column what is left of the earlier ones."""
    power = magnitude.astype(np.float64) ** 2
    kept = 10 ** (-6 * HOP_SECONDS / rng.uniform(*ROOM_SECONDS))
    share = 10 ** (-rng.uniform(*ROOM_DB) / 10) * (1 - kept)
    return np.sqrt(power + lfilter([0, share], [1, -kept], power, axis=0)).astype(np.float32)


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


def _mix(magnitude: np.ndarray, background: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add a background (C, 256) at a random level, every bin with a random phase."""
    loud = np.sqrt(np.mean(magnitude**2) / (np.mean(background**2) + 1e-12))
    added = background * (loud * 10 ** (-rng.uniform(*BACKGROUND_DB) / 20))
    angle = rng.uniform(0, 2 * np.pi, magnitude.shape).astype(np.float32)
    return np.hypot(magnitude + added * np.cos(angle), added * np.sin(angle))


def _music(count: int, rng: np.random.Generator) -> np.ndarray:
    """Chords of three notes with their overtones, struck every 0.2 to 0.7 s: (count, 256) magnitudes."""
    music = np.zeros((count, BINS), np.float32)
    bins = np.arange(1, BINS + 1)
    start = 0
    while start < count:
        length = int(rng.integers(20, 70))
        line = np.zeros(BINS, np.float32)
        for pitch in rng.uniform(100, 600, 3) / BIN_HERTZ:
            distance = np.abs(bins / pitch - np.rint(bins / pitch)) * pitch
            line += np.exp(-(distance**2)) / np.maximum(1, bins / pitch) * (bins > pitch / 2)
        decay = np.exp(-np.arange(length) / rng.uniform(10, 80)).astype(np.float32)
        music[start : start + length] += (decay[:, None] * line)[: count - start]
        start += length
    return music


def _span(length: int, longest: int, rng: np.random.Generator) -> slice:
    start = int(rng.integers(0, length))
    return slice(start, start + int(rng.integers(0, longest + 1)))
