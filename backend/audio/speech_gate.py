"""How surely somebody speaks, or breathes in to: soft gates for the face's motion; whether there is speech at all."""

import numpy as np

from backend.audio.decode import SAMPLE_RATE
from backend.audio.speech import FRAME_SECONDS, SILENT_DB, loudness_columns
from backend.runs import find_runs

FLOOR_PERCENTILE, LOUD_PERCENTILE = 10, 95
"""Of the loudness: the background, and the voice."""
DEEPEST = 40.0
"""Decibels under the voice below which nothing is speech: a recorder's digital silence is no background."""
STEADY_DB, LIVELY_DB = 6.0, 10.0
"""Distance of background and voice: what varies less than the first is no speech (steady noise 1-3, room tone 2-5),
above the second it is; syllables alone vary by more than ten."""
QUIET_DB, FAINT_DB = -40.0, -60.0
"""Loudness of a recording's voice below which more than that is asked of it: people record speech, rooms make none."""
FAINT_MORE_DB = 10.0
"""How much livelier the faintest recording must be."""
CLOSED_DB, OPEN_DB = 3.5, 8.0
"""Decibels above the background below which the gate is closed, and above which it is open."""
LEAD, TRAIL = 0.28, 0.18
"""Seconds before and after speech in which lips still move for it."""
LONGEST_STOP = 0.3
"""Seconds between two stretches of speech over which the gate stays as open as it was."""
BREATH_PAUSE = 1.2
"""Seconds without speech after which the next is spoken with a breath drawn for it, as is a recording's first."""
BREATH_BEGINS, BREATH_DRAWN, BREATH_ENDS = 0.8, 0.5, 0.1
"""Seconds before such speech in which lips begin to open, are open, and take the place of the first sound."""
FADE = 0.08
"""Seconds over which it opens and closes."""
SHORTEST = 0.1
"""Seconds of an open gate that are speech: a click is none."""
COLUMNS_AT_ONCE = 6000
"""Columns whose loudness is measured in one go."""
LEAST_SURE = 0.1
"""What is nowhere surer than this is no speech."""
BARE_SECONDS, BARE_VOICED = 1.0, 0.08
"""A shorter recording may be a word cut out without its background: it is one if it is voiced for so long, seconds."""
PITCH_SECONDS = 0.02
"""Distance of the moments at which that is asked."""


def speech_gates(samples: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How surely somebody speaks, or is about to or has just spoken; and how surely they breathe in to: (T,) in 0..1.

    A breath is drawn before the first sound after every long pause. samples: (n,) float32, 16 kHz; times: (T,) seconds.
    In steady noise 10 dB under the voice the first gate stays open in speech; where background and voice are hardly
    apart it is open throughout, for noise that is shown is better than speech that is not.
    """
    if not len(samples):
        return np.zeros(len(times), np.float32), np.zeros(len(times), np.float32)
    speech = _bridged(samples)
    return _at(times, _opened(speech)), _at(times, _breathing(speech))


def gate_columns(samples: np.ndarray) -> np.ndarray:
    """The first of these gates in each 10 ms column, (columns,) float64."""
    return _opened(_bridged(samples))


def _opened(speech: np.ndarray) -> np.ndarray:
    return _faded(_highest(speech, _columns(TRAIL), _columns(LEAD)))


def _breathing(speech: np.ndarray) -> np.ndarray:
    first, silent_since = np.zeros(len(speech)), -_columns(BREATH_PAUSE)
    for start, end in find_runs(speech >= LEAST_SURE):
        if start - silent_since >= _columns(BREATH_PAUSE):
            first[start] = speech[start:end].max()
        silent_since = end
    drawn = _highest(first, 0, _columns(BREATH_DRAWN))
    ramp = np.arange(len(drawn)) / _columns(BREATH_BEGINS - BREATH_DRAWN)
    begun = np.maximum.accumulate((drawn - ramp)[::-1])[::-1] + ramp
    return _faded(np.clip(begun - _highest(speech, 0, _columns(BREATH_ENDS)), 0, 1))


def _bridged(samples: np.ndarray) -> np.ndarray:
    """`sure_columns`, as sure in short stops as on either side of them."""
    half = _columns(LONGEST_STOP) // 2
    return -_highest(-_highest(sure_columns(samples), half, half), half, half)


def _faded(columns: np.ndarray) -> np.ndarray:
    """The same without edges, (columns,)."""
    offsets = np.arange(-_columns(2 * FADE), _columns(2 * FADE) + 1)
    kernel = np.exp(-0.5 * (offsets * FRAME_SECONDS / (FADE / 2)) ** 2)
    padded = np.pad(columns, len(offsets) // 2, mode="edge")
    return np.convolve(padded, kernel / kernel.sum(), mode="valid")


def _at(times: np.ndarray, columns: np.ndarray) -> np.ndarray:
    return np.interp(times, np.arange(len(columns)) * FRAME_SECONDS, columns).astype(np.float32)


def _columns(seconds: float) -> int:
    return round(seconds / FRAME_SECONDS)


def _highest(values: np.ndarray, back: int, ahead: int) -> np.ndarray:
    """The highest of the values from `back` places before each to `ahead` after it: (n,)."""
    padded = np.pad(values, (back, ahead), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, back + ahead + 1).max(axis=1)


def sure_columns(samples: np.ndarray) -> np.ndarray:
    """How surely somebody speaks in each 10 ms column, (columns,) in 0..1: by its loudness above the background,
    and by how lively the whole recording is."""
    loudness = _loudness(samples)
    floor, loud = (float(value) for value in np.percentile(loudness, (FLOOR_PERCENTILE, LOUD_PERCENTILE)))
    if loud < SILENT_DB:
        return np.zeros(len(loudness))
    floor = loud - DEEPEST if loud > QUIET_DB and _is_bare_word(samples) else max(floor, loud - DEEPEST)
    more = FAINT_MORE_DB * np.clip((QUIET_DB - loud) / (QUIET_DB - FAINT_DB), 0, 1)
    lively = np.clip((loud - floor - STEADY_DB - more) / (LIVELY_DB - STEADY_DB), 0, 1)
    sure = lively * np.clip((loudness - floor - CLOSED_DB) / (OPEN_DB - CLOSED_DB), 0, 1)
    for start, end in find_runs(sure > 0):
        if end - start < _columns(SHORTEST):
            sure[start:end] = 0
    return sure if sure.max() >= LEAST_SURE else np.zeros(len(sure))


def _is_bare_word(samples: np.ndarray) -> bool:
    """Whether a recording is so short that its quietest parts may be speech as well, and is voiced.

    Differences of neighbouring samples make noise that rumbles white, so that no pitch is found in it.
    """
    from backend.audio.accents import measure_pitch

    if len(samples) >= BARE_SECONDS * SAMPLE_RATE:
        return False
    steps = np.diff(samples)
    voiced = [measure_pitch(steps, time) > 0 for time in np.arange(0, len(samples) / SAMPLE_RATE, PITCH_SECONDS)]
    return sum(voiced) * PITCH_SECONDS >= BARE_VOICED


def _loudness(samples: np.ndarray) -> np.ndarray:
    """`loudness_columns` minute by minute: an hour's spectra are never in memory together."""
    step, edge = COLUMNS_AT_ONCE, 10
    hop = round(FRAME_SECONDS * SAMPLE_RATE)
    total = len(samples) // hop + 1
    pieces = []
    for start in range(0, total, step):
        first, last = max(0, start - edge), min(total, start + step + edge)
        piece = loudness_columns(samples[first * hop : last * hop])
        pieces.append(piece[start - first : start - first + min(step, total - start)])
    return np.concatenate(pieces)
