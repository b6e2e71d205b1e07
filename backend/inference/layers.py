"""What a face does besides speaking: blinks, brows, head. Drawn from a seed, and the same at any frame rate."""

import numpy as np

from backend.audio.accents import Accent
from backend.inference.performance import Performance
from shape_keys import arkit
from shape_keys.viseme_table import weight_vector

PLAIN = np.ones(len(arkit.NAMES), np.float32)
"""Every shape as it is."""
BLINK = weight_vector({"eyeBlink": 0.95})
"""A full blink; at 1 the lids of a narrow eye pass each other."""
BLINK_INTERVAL = 60 / 17
"""Mean seconds between blinks of a speaker, 17 a minute (Bentivoglio et al. 1997: 26 a minute in conversation)."""
BLINK_SPREAD = 0.6
"""Standard deviation of the intervals' logarithm; the median of a log-normal is shorter than its mean."""
SHORTEST_INTERVAL = 0.8
CLOSING, OPENING = 0.08, 0.18
"""Seconds in which lids fall and rise."""
LAST_FRAME = 0.05
"""Seconds at the end in which lids stay open: a clip's last frame, at 20 frames a second or more."""

BROWS = weight_vector({"browInnerUp": 0.5, "browOuterUp": 0.4, "eyeWide": 0.12})
"""Brows at the strongest accent."""
RISE, FALL = 0.14, 0.34
"""Seconds in which brows rise to an accent and fall after it."""
ACCENT_SHARE = 0.7
"""Of the accents, how many the brows follow: people do not mark all."""

SWAY = np.radians([1.6, 2.2, 1.2])
"""Standard deviation of the head's slow turning about x (nod), y (turn) and z (tilt), radians."""
SWAY_SECONDS = 0.9
"""Between two independent postures."""
NOD = np.radians(3.0)
"""Of the strongest accent: the chin goes down."""
NOD_RISE, NOD_FALL = 0.12, 0.3
STILL = 0.35
"""Share of the swaying that is left where nobody speaks."""


def add_blinks(
    performance: Performance, times: np.ndarray, duration: float, amount: float, seed: int, gains: np.ndarray = PLAIN
) -> Performance:
    """Blinks at `amount` (0..1) of a usual rate.

    times: (T,) seconds; duration: of the recording, seconds; gains: (52,) factors of the shapes.
    """
    closed = np.zeros(len(times))
    for blink in blink_times(duration, amount, seed):
        closed = np.maximum(closed, _bump(times, blink, CLOSING, OPENING))
    weights = np.maximum(performance.weights, closed[:, None] * (BLINK * gains))
    return performance.reweighted(weights)


def blink_times(duration: float, amount: float, seed: int) -> list[float]:
    """When lids are closed, in seconds; a blink that would not end within the duration is left out."""
    if amount <= 0:
        return []
    rng = np.random.default_rng([seed, 1])
    found, now = [], float(rng.uniform(0.5, BLINK_INTERVAL)) / amount
    median = BLINK_INTERVAL / np.exp(BLINK_SPREAD**2 / 2)
    while now + OPENING + LAST_FRAME <= duration:
        found.append(now)
        pause = median * float(np.exp(BLINK_SPREAD * rng.standard_normal()))
        now += max(SHORTEST_INTERVAL, pause) / amount
    return found


def add_brows(
    performance: Performance,
    times: np.ndarray,
    accents: list[Accent],
    amount: float,
    seed: int,
    gains: np.ndarray = PLAIN,
) -> Performance:
    """Brows that rise on stressed syllables. times: (T,) seconds; gains: (52,) factors of the shapes."""
    rng = np.random.default_rng([seed, 2])
    raised = np.zeros(len(times))
    for accent in accents:
        height = accent.strength * float(rng.uniform(0.6, 1.0)) * (rng.random() < ACCENT_SHARE)
        raised = np.maximum(raised, height * _bump(times, accent.time, RISE, FALL))
    return performance.reweighted(performance.weights + (amount * raised)[:, None] * (BROWS * gains))


def head_motion(
    times: np.ndarray, duration: float, accents: list[Accent], speaking: np.ndarray, amount: float, seed: int
) -> np.ndarray:
    """Rotation of the head, (T, 3) float32: radians, XYZ Euler angles in head space (x right, y up, z to the viewer).

    A slow sway between postures, calmer in silence, and a nod on each stressed syllable. times: (T,) seconds;
    duration: of the recording, seconds; speaking: (T,) in 0..1.
    """
    from scipy.interpolate import CubicSpline

    rng = np.random.default_rng([seed, 3])
    knots = np.arange(0.0, duration + 2 * SWAY_SECONDS, SWAY_SECONDS)
    sway = CubicSpline(knots, rng.standard_normal((len(knots), 3)) * SWAY)(times)
    rotation = sway * (STILL + (1 - STILL) * np.asarray(speaking)[:, None])
    for accent in accents:
        rotation[:, 0] += NOD * accent.strength * _bump(times, accent.time + 0.05, NOD_RISE, NOD_FALL)
    return (amount * rotation).astype(np.float32)


def _bump(times: np.ndarray, peak: float, rise: float, fall: float) -> np.ndarray:
    """0 to 1 within `rise` seconds before the peak, back within `fall` after it, smoothly: (T,)."""
    distance = np.where(times < peak, (peak - times) / rise, (times - peak) / fall)
    share = np.clip(1 - distance, 0, 1)
    return share * share * (3 - 2 * share)
