"""CPBD: 1 for hard edges, falling with blur, as the paper's figure 9 shows."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from backend.evaluation.sharpness import cpbd


@pytest.fixture(scope="module")
def stripes() -> np.ndarray:
    row = (np.arange(256) // 32 % 2 * 200 + 20).astype(np.uint8)
    return np.repeat(np.repeat(row[None], 256, axis=0)[..., None], 3, axis=2)


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    return gaussian_filter(image.astype(float), (sigma, sigma, 0)).astype(np.uint8)


def test_hard_edges_are_sharp(stripes):
    assert cpbd(stripes) == 1.0


def test_it_falls_with_blur(stripes):
    scores = [cpbd(blurred(stripes, sigma)) for sigma in (0.0, 0.4, 0.8, 3.0)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 1.0
    assert scores[-1] < 0.2


def test_a_step_of_known_width():
    # A ramp over 5 pixels in a picture of high contrast: 1 - exp(-(5 / 3) ** 3.6) = 0.998 > 0.63, so it is noticed.
    row = np.interp(np.arange(64), [29, 34], [20, 220]).astype(np.uint8)
    picture = np.repeat(np.repeat(row[None], 64, axis=0)[..., None], 3, axis=2)
    assert cpbd(picture) == 0.0


@pytest.mark.parametrize(
    ("width", "contrast", "expected"),
    [(3, 51, 1.0), (4, 51, 0.0), (5, 50, 1.0), (6, 50, 0.0), (3, 200, 1.0), (4, 200, 0.0)],
)
def test_an_edge_that_is_just_noticeable_counts_as_sharp(width, contrast, expected):
    """The authors' programme has widths of 5 pixels up to a contrast of 50 and of 3 above, and P(3) = P(5) = 63 %."""
    row = np.interp(np.arange(64), [29, 29 + width], [20, 20 + contrast]).astype(np.uint8)
    assert cpbd(np.repeat(np.repeat(row[None], 64, axis=0)[..., None], 3, axis=2)) == expected


def test_nothing_to_see():
    assert np.isnan(cpbd(np.full((64, 64, 3), 90, np.uint8)))
