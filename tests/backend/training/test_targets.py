"""Blendshape targets of movements that are made from known weights, and of a mouth that opens by a known gap."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from backend.normalisation.reference import lip_ratio
from backend.training.targets import CONFUSED, fit_targets
from shape_keys.arkit import NAMES
from shape_keys.basis import load_basis
from shape_keys.topology import CANONICAL_FACE

FRAMES = 120
JAW = NAMES.index("jawOpen")


@pytest.fixture(scope="module")
def weights() -> np.ndarray:
    """Smooth random weights (120, 52) of jaw, funnel, smile and blink."""
    rng = np.random.default_rng(0)
    made = np.zeros((FRAMES, len(NAMES)))
    for name in ("jawOpen", "mouthFunnel", "mouthSmileLeft", "mouthSmileRight", "eyeBlinkLeft", "eyeBlinkRight"):
        curve = gaussian_filter1d(rng.normal(size=FRAMES), 3)
        made[:, NAMES.index(name)] = 0.5 * (curve - curve.min()) / np.ptp(curve)
    return made


@pytest.fixture(scope="module")
def vertices(weights) -> np.ndarray:
    noise = np.random.default_rng(1).normal(scale=0.003, size=(FRAMES, 468, 3))  # the tracker's
    return (CANONICAL_FACE + np.tensordot(weights, load_basis(), 1) + noise).astype(np.float32)


def test_weights_come_back_from_noisy_vertices(weights, vertices):
    fitted = fit_targets(vertices, CANONICAL_FACE, np.zeros(FRAMES, int), np.ones(FRAMES, bool))
    assert fitted.dtype == np.float32
    assert 0 <= fitted.min() <= fitted.max() <= 1
    for name in ("jawOpen", "mouthFunnel", "eyeBlinkLeft"):
        index = NAMES.index(name)
        assert np.corrcoef(fitted[:, index], weights[:, index])[0, 1] > 0.95, name
    rebuilt = CANONICAL_FACE + np.tensordot(fitted, load_basis(), 1)
    assert np.corrcoef(lip_ratio(rebuilt), lip_ratio(vertices))[0, 1] > 0.96
    assert not fitted[:, [NAMES.index(name) for name in CONFUSED]].any()


def test_neither_gaps_nor_cuts_are_smoothed_over(vertices):
    clip = np.repeat([0, 1], FRAMES // 2)
    valid = np.ones(FRAMES, bool)
    valid[30:40] = False
    broken = vertices.copy()
    broken[30:40] = np.nan
    together = fit_targets(broken, CANONICAL_FACE, clip, valid)
    assert not together[30:40].any()
    for part in (slice(0, 30), slice(40, 60), slice(60, 120)):
        length = part.stop - part.start
        alone = fit_targets(vertices[part], CANONICAL_FACE, np.zeros(length, int), np.ones(length, bool))
        np.testing.assert_allclose(together[part], alone, atol=1e-4)


def test_a_face_at_rest_has_no_weights():
    still = np.repeat(CANONICAL_FACE[None], 30, axis=0)
    assert not fit_targets(still, CANONICAL_FACE, np.zeros(30, int), np.ones(30, bool)).any()
