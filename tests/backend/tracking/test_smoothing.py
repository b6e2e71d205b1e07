"""Smoothing takes the jitter and leaves the closures: on a made-up face, and on tracked speech."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from backend.normalisation.pose import apply
from backend.normalisation.reference import lip_ratio, rough_poses
from backend.tracking.smoothing import smooth_vertices
from shape_keys.topology import (
    CANONICAL_FACE,
    INNER_LIP_LOWER,
    INNER_LIP_UPPER,
    LEFT_MOUTH_CORNER,
    LOWER_INNER_LIP,
    RIGHT_MOUTH_CORNER,
    RIGID,
    UPPER_INNER_LIP,
)

SECONDS = 0.04


def speaking_face(gap: np.ndarray, jitter: float, seed: int = 0) -> np.ndarray:
    """The canonical face whose lower lip follows `gap` (T,), with Gaussian jitter: (T, 468, 3) float32."""
    noise = np.random.default_rng(seed).normal(0, jitter, (len(gap), *CANONICAL_FACE.shape))
    face = CANONICAL_FACE + noise
    lips = [UPPER_INNER_LIP, LOWER_INNER_LIP]
    face[:, lips] = CANONICAL_FACE[UPPER_INNER_LIP]
    face[:, LOWER_INNER_LIP, 1] -= gap
    return face.astype(np.float32)


def closed_share(gap: np.ndarray) -> float:
    return float((gap < 0.1 * np.percentile(gap, 95)).mean())


def test_a_closure_of_one_frame_survives():
    times = np.arange(100) / 25
    gap = 0.1 + 0.05 * np.sin(2 * np.pi * times)
    gap[::20] = 0.001  # a plosive's closure that one frame alone catches
    smooth = lip_ratio(smooth_vertices(speaking_face(gap, 0.0), times, SECONDS))
    plain = gaussian_filter1d(gap, SECONDS * 25)
    assert closed_share(gap) == closed_share(smooth) == 0.05
    assert closed_share(plain) == 0.0


def test_jitter_falls_and_slow_motion_stays():
    times = np.arange(200) / 25
    face = speaking_face(np.full(200, 0.1), 0.01)
    sway = 0.1 * np.sin(2 * np.pi * 0.5 * times)
    face[..., 1] += sway[:, None]
    smooth = smooth_vertices(face, times, SECONDS)
    still = CANONICAL_FACE + np.array([0, 1.0, 0]) * sway[:, None, None]
    before, after = ((faces - still)[10:-10, RIGID] for faces in (face, smooth))
    assert np.sqrt((after**2).mean()) < 0.75 * np.sqrt((before**2).mean())
    assert np.abs(after.mean(axis=1)).max() < 0.01


def test_a_parabola_at_uneven_times_is_kept_and_gaps_stay_gaps():
    """A local fit of second degree reproduces a polynomial of second degree (Savitzky and Golay 1964)."""
    times = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.06, 60))
    face = CANONICAL_FACE + (0.3 * times**2 - 0.1 * times)[:, None, None] * np.array([0.0, 0.5, 0.1])
    face = face.astype(np.float32)
    face[20:23] = np.nan
    smooth = smooth_vertices(face, times, SECONDS)
    assert np.isnan(smooth[20:23]).all()
    good = np.isfinite(face)
    np.testing.assert_allclose(smooth[good], face[good], atol=2e-3)


def test_what_the_halves_do_differently_comes_slowly():
    times = np.arange(250) / 25
    lean = np.where(times < 5, 0.0, 0.2)  # a smile on one side that stays
    shake = 0.1 * np.random.default_rng(0).standard_normal(250)
    face = CANONICAL_FACE + np.array([1.0, 0, 0]) * (lean + shake)[:, None, None]
    moved = (smooth_vertices(face.astype(np.float32), times, SECONDS) - CANONICAL_FACE)[..., 0]
    assert np.std(moved[25:100]) < 0.35 * np.std(shake[25:100])
    assert moved[:90].mean() == pytest.approx(0, abs=0.03)
    assert moved[-90:].mean() == pytest.approx(0.2, abs=0.03)


def test_a_crooked_mouth_opens_crookedly():
    times = np.arange(200) / 25
    gap = 0.1 + 0.05 * np.sin(2 * np.pi * 3 * times)
    face = speaking_face(gap, 0.0)
    face[:, LEFT_MOUTH_CORNER, 1] -= 0.5 * gap
    corner = smooth_vertices(face, times, SECONDS)[:, LEFT_MOUTH_CORNER, 1]
    other = smooth_vertices(face, times, SECONDS)[:, RIGHT_MOUTH_CORNER, 1]
    assert np.ptp(corner[50:150]) > 0.85 * np.ptp(face[50:150, LEFT_MOUTH_CORNER, 1])
    assert np.ptp(other[50:150]) < 0.15 * np.ptp(face[50:150, LEFT_MOUTH_CORNER, 1])


def test_inner_lips_that_touch_on_one_side_still_touch():
    times = np.arange(100) / 25
    face = speaking_face(np.where(np.arange(100) % 20 < 3, 0.0, 0.1), 0.02)
    upper, lower = INNER_LIP_UPPER[3], INNER_LIP_LOWER[3]
    closed = np.arange(100) % 20 < 3
    face[closed, lower] = face[closed, upper]
    smooth = smooth_vertices(face, times, SECONDS)
    np.testing.assert_allclose(smooth[closed, lower], smooth[closed, upper], atol=1e-6)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_shortest_clips_pass(count):
    face = np.broadcast_to(CANONICAL_FACE, (count, 468, 3)).astype(np.float32)
    np.testing.assert_allclose(smooth_vertices(face, np.arange(count) / 25, SECONDS), face, atol=1e-5)


def test_tracked_speech_keeps_its_closures(grid_tracks):
    """On GRID: less jitter of the rigid vertices, no closed frame lost; a plain filter of equal width loses some."""
    shares, jitters = [], []
    for clip in grid_tracks:
        landmarks = clip.track.landmarks[:, :468]
        head = apply(rough_poses(landmarks), landmarks)
        smooth = smooth_vertices(head, clip.track.times, SECONDS)
        plain = gaussian_filter1d(head, SECONDS * 25, axis=0)
        wide = np.nanpercentile(lip_ratio(head), 95)
        shares.append([float((lip_ratio(faces) < 0.1 * wide).sum()) for faces in (head, smooth, plain)])
        steps = [np.nanmean(np.linalg.norm(np.diff(faces[:, RIGID], 2, axis=0), axis=2)) for faces in (head, smooth)]
        jitters.append(steps)
    raw, kept, lost = np.sum(shares, axis=0)
    before, after = np.mean(jitters, axis=0)
    assert raw > 50
    assert kept >= raw
    assert lost < 0.97 * raw
    assert after < 0.8 * before
