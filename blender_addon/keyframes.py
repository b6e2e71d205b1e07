"""Thin a curve with a key in every frame out to few Bezier keys within a tolerance; needs no Blender."""

from dataclasses import dataclass

import numpy as np

THIRD = 1 / 3  # of the way to the next key: handles there make a Bezier segment the cubic Hermite polynomial
SIGMA = 1.5  # frames; of 1 to 2.5 this leaves the fewest keys of a minute of speech
REACH = 6  # frames, four sigma
SHARE = 0.7  # of the tolerance that smoothing may use; the rest is for the curve between the keys


@dataclass(frozen=True)
class SparseKeys:
    """The keys that are left of a curve of T frames."""

    frames: np.ndarray
    """(N,) int, 0-based frames, ascending; the first and the last frame are among them."""
    values: np.ndarray
    """(N,) float32."""
    slopes: np.ndarray
    """(N,) float32, change a frame: the direction of both handles."""


def reduce_keys(curve: np.ndarray, tolerance: float) -> SparseKeys:
    """Keep as few frames of `curve` (T,) as a greedy search needs for every frame to stay within `tolerance`.

    The worst frame of each segment becomes a key until none is further off. Keys lie on the curve smoothed within part
    of the tolerance: a key on each tremor of the prediction is of no use to an animator.
    """
    curve = np.asarray(curve, np.float64)
    smooth = _smooth(curve, SHARE * tolerance)
    slopes = _slopes(smooth)
    keys = np.unique([0, len(curve) - 1])
    while True:
        errors = np.abs(_interpolate(keys, smooth[keys], slopes[keys], len(curve)) - curve)
        worst = _worst_of_segments(errors, keys)
        added = worst[errors[worst] > tolerance]
        if not len(added):
            return SparseKeys(keys, smooth[keys].astype(np.float32), slopes[keys].astype(np.float32))
        keys = np.union1d(keys, added)


def sparse_values(keys: SparseKeys, frames: int) -> np.ndarray:
    """(T,) float64: the curve that the keys make, at each of `frames` frames."""
    return _interpolate(keys.frames, keys.values.astype(np.float64), keys.slopes.astype(np.float64), frames)


def _smooth(curve: np.ndarray, room: float) -> np.ndarray:
    """The curve under a Gaussian window, nowhere further than `room` from what it was."""
    window = np.exp(-0.5 * (np.arange(-REACH, REACH + 1) / SIGMA) ** 2)
    smooth = np.convolve(np.pad(curve, REACH, "edge"), window / window.sum(), "valid")
    return np.clip(smooth, curve - room, curve + room)


def _slopes(curve: np.ndarray) -> np.ndarray:
    """(T,) change a frame by central differences; flat at the ends, where the motion begins and stops."""
    if len(curve) < 2:
        return np.zeros(len(curve))
    slopes = np.gradient(curve)
    slopes[[0, -1]] = 0
    return slopes


def _interpolate(keys: np.ndarray, values: np.ndarray, slopes: np.ndarray, frames: int) -> np.ndarray:
    """(T,) cubic Hermite polynomials between the keys."""
    if len(keys) == 1:
        return np.full(frames, values[0])
    places = np.arange(frames)
    segment = np.repeat(np.arange(len(keys) - 1), np.diff(keys))
    segment = np.append(segment, len(keys) - 2)
    width = np.diff(keys)[segment]
    x = (places - keys[segment]) / width
    before, after = values[segment], values[segment + 1]
    rise, fall = slopes[segment] * width, slopes[segment + 1] * width
    return (
        before * (1 + 2 * x) * (1 - x) ** 2
        + rise * x * (1 - x) ** 2
        + after * x * x * (3 - 2 * x)
        + fall * x * x * (x - 1)
    )


def _worst_of_segments(errors: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """The frame with the largest error of each segment between neighbouring keys."""
    if len(keys) == 1:
        return keys
    largest = np.maximum.reduceat(errors, keys[:-1])
    segment = np.append(np.repeat(np.arange(len(keys) - 1), np.diff(keys)), len(keys) - 2)
    reached = np.flatnonzero(errors >= largest[segment])
    first = np.searchsorted(segment[reached], np.arange(len(keys) - 1))
    return reached[np.minimum(first, len(reached) - 1)]
