"""Where in a recording somebody speaks."""

import numpy as np

from backend.audio.mel import log_mel
from backend.runs import find_runs

FRAME_SECONDS = 0.01

OPEN_DB, CLOSE_DB = 12.0, 8.0
"""Decibels above the noise floor at which speech begins and ends; two thresholds keep it from flickering."""

SILENT_DB = -70.0
"""Decibels of full scale (in a mel band's mean) under which nothing is speech, however quiet the rest is."""

LEAST_RANGE_DB = 15.0
"""A recording whose loud and quiet parts lie nearer than this is either all speech or all noise: judged as all."""

SHORTEST_SPEECH = 0.08
SHORTEST_SILENCE = 0.20
"""Seconds. The closure of a plosive lasts 50-150 ms and is part of speech."""


def speech_mask(samples: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Whether somebody speaks at each of `times` (T,) seconds: (T,) bool. samples: (N,) float32, 16 kHz."""
    spoken = speech_columns(samples)
    columns = np.round(np.asarray(times) / FRAME_SECONDS).astype(int)
    inside = (columns >= 0) & (columns < len(spoken))
    return np.where(inside, spoken[np.clip(columns, 0, len(spoken) - 1)], False)


def speech_columns(samples: np.ndarray) -> np.ndarray:
    """Whether somebody speaks in each 10 ms column, (columns,) bool; by loudness above the recording's noise floor."""
    smooth = loudness_columns(samples)
    floor, loud = (float(value) for value in np.percentile(smooth, (10, 95)))
    if loud < SILENT_DB:
        return np.zeros(len(smooth), bool)
    if loud - floor < LEAST_RANGE_DB:
        return np.ones(len(smooth), bool)
    spoken = _hysteresis(smooth, max(floor + OPEN_DB, SILENT_DB), max(floor + CLOSE_DB, SILENT_DB))
    spoken = ~_without_short(~spoken, round(SHORTEST_SILENCE / FRAME_SECONDS))
    return _without_short(spoken, round(SHORTEST_SPEECH / FRAME_SECONDS))


def loudness_columns(samples: np.ndarray) -> np.ndarray:
    """Loudness of the voice's bands in each 10 ms column, (columns,) float32 dB, averaged over 50 ms."""
    loudness = 10 / np.log(10) * np.log(np.exp(log_mel(samples)[:, 3:35]).mean(axis=1))
    return np.convolve(np.pad(loudness, 2, mode="edge"), np.ones(5) / 5, mode="valid")


def _hysteresis(values: np.ndarray, upper: float, lower: float) -> np.ndarray:
    """Stretches above `lower` that reach `upper` somewhere."""
    result = np.zeros(len(values), bool)
    for start, end in find_runs(values > lower):
        result[start:end] = values[start:end].max() > upper
    return result


def _without_short(mask: np.ndarray, shortest: int) -> np.ndarray:
    result = mask.copy()
    for start, end in find_runs(mask):
        if end - start < shortest:
            result[start:end] = False
    return result
