"""Keyframe reduction: few keys, within the tolerance, judged by scipy's own cubic Hermite spline."""

import numpy as np
import pytest
from scipy.interpolate import CubicHermiteSpline

from blender_addon.keyframes import reduce_keys, sparse_values


def speech_like(frames: int, seed: int = 0) -> np.ndarray:
    """(frames,) in 0..1: syllables at about 4 Hz of a 25 fps curve, with a tremor of 0.01."""
    random = np.random.default_rng(seed)
    time = np.arange(frames) / 25
    strength = np.interp(time, np.arange(0, time[-1] + 1, 0.5), random.random(int(2 * (time[-1] + 1)) + 1))
    return strength * np.sin(np.pi * 4 * time) ** 2 + 0.01 * random.uniform(-1, 1, frames)


@pytest.mark.parametrize("tolerance", [0.01, 0.03, 0.1])
def test_every_frame_stays_within_the_tolerance(tolerance: float) -> None:
    curve = speech_like(500)
    keys = reduce_keys(curve, tolerance)
    spline = CubicHermiteSpline(keys.frames, keys.values, keys.slopes)
    assert np.abs(spline(np.arange(500)) - curve).max() <= tolerance + 1e-6
    np.testing.assert_allclose(sparse_values(keys, 500), spline(np.arange(500)), atol=1e-6)
    assert keys.frames[0] == 0
    assert keys.frames[-1] == 499
    assert keys.slopes[[0, -1]].tolist() == [0, 0]


def test_keeps_a_key_or_two_a_syllable() -> None:
    keys = reduce_keys(speech_like(500), 0.05)
    syllables = 500 / 25 * 4
    assert len(keys.frames) <= 3 * syllables


def test_a_curve_that_stays_needs_its_ends_only() -> None:
    assert reduce_keys(np.full(200, 0.3), 0.01).frames.tolist() == [0, 199]
    assert reduce_keys(np.array([0.5]), 0.01).frames.tolist() == [0]
    assert reduce_keys(np.array([0.5, 0.7]), 0.01).frames.tolist() == [0, 1]


def test_without_tolerance_every_value_is_kept() -> None:
    curve = np.random.default_rng(1).random(40)
    keys = reduce_keys(curve, 0.0)
    np.testing.assert_allclose(sparse_values(keys, 40), curve, atol=1e-6)
