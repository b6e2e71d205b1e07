"""A texture that was unwrapped from a frame and is rendered back is the frame again."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from backend.evaluation.mouth_region import mouth_region, render
from backend.normalisation.atlas import map_atlas, unwrap
from shape_keys.topology import CANONICAL_FACE, OUTER_LIP_LOWER, OUTER_LIP_UPPER


@pytest.fixture(scope="module")
def landmarks() -> np.ndarray:
    return CANONICAL_FACE * [160, -160, 160] + [160, 150, 0]


@pytest.fixture(scope="module")
def frame() -> np.ndarray:
    noise = np.random.default_rng(0).random((320, 320, 3))
    smooth = gaussian_filter(noise, (4, 4, 0))
    return ((smooth - smooth.min()) / np.ptp(smooth) * 255).astype(np.uint8)


def test_there_and_back(landmarks, frame):
    uv = (CANONICAL_FACE[:, :2] * 0.5 + [0.5, 0.55]).astype(np.float32)
    region = mouth_region(landmarks, 320, 320)
    assert region is not None
    made = render(unwrap(frame, landmarks, map_atlas(uv)), uv, landmarks, region, frame)
    assert np.abs(made.astype(int) - region.cut(frame))[region.mask].mean() < 2


def test_the_region_holds_the_lips_and_is_not_much_larger(landmarks):
    region = mouth_region(landmarks, 320, 320)
    assert region is not None
    lips = landmarks[[*OUTER_LIP_UPPER, *OUTER_LIP_LOWER], :2]
    inside = [region.mask[int(y) - region.top, int(x) - region.left] for x, y in lips]
    assert all(inside)
    width = np.ptp(np.flatnonzero(region.mask.any(axis=0))) + 1
    assert width == pytest.approx(1.15 * np.ptp(lips[:, 0]), abs=2)


def test_a_mouth_outside_the_frame(landmarks):
    assert mouth_region(landmarks + np.array([1000, 0, 0]), 320, 320) is None
