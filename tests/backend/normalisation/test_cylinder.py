"""The reference cylinder on MediaPipe's canonical face, whose figures were measured by hand."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from backend.normalisation.cylinder import ATLAS_SIZE, fit_circle, fit_cylinder, to_head_space
from backend.normalisation.pose import apply
from shape_keys.topology import CANONICAL_FACE, LEFT_EYE_OUTER, NOSE_BASE, RIGHT_EYE_OUTER

OUTER_EYES_CM = 8.89
"""Distance of vertices 33 and 263 of the canonical face."""


def test_circle_is_found_among_outliers():
    angle = np.linspace(-1.3, 1.3, 200)
    points = np.stack([2.0 * np.sin(angle), 0.5 + 2.0 * np.cos(angle)], axis=1)
    points[90:110, 1] += 0.8  # a nose
    centre, radius = fit_circle(points)
    assert centre == pytest.approx(0.5, abs=0.01)
    assert radius == pytest.approx(2.0, abs=0.01)


def test_three_quarters_of_the_canonical_face_lie_on_the_cylinder():
    matrix, radius = to_head_space(CANONICAL_FACE)
    face = apply(matrix, CANONICAL_FACE)
    distance = np.abs(np.hypot(face[:, 0], face[:, 2]) - radius)
    assert np.mean(distance < 0.1 * radius) >= 0.70
    assert radius * OUTER_EYES_CM == pytest.approx(7.28, abs=0.5)  # method.md


def test_head_space_is_upright_and_has_its_unit_and_origin():
    turned = apply(np.c_[Rotation.from_euler("yz", [4, 3], degrees=True).as_matrix() * 7, [3.0, 2, 1]], CANONICAL_FACE)
    matrix, _ = to_head_space(turned)
    face = apply(matrix, turned)
    assert np.linalg.norm(face[RIGHT_EYE_OUTER] - face[LEFT_EYE_OUTER]) == pytest.approx(1.0)
    assert face[[RIGHT_EYE_OUTER, LEFT_EYE_OUTER], 1].mean() == pytest.approx(0.0, abs=1e-6)
    assert abs(face[NOSE_BASE, 0]) < 0.005
    assert face[RIGHT_EYE_OUTER, 0] < 0 < face[LEFT_EYE_OUTER, 0]


def test_eyes_and_nose_land_on_fixed_places():
    matrix, radius = to_head_space(CANONICAL_FACE)
    face = apply(matrix, CANONICAL_FACE)
    uv = fit_cylinder(face, radius).project(face)
    pixels = np.stack([uv[:, 0], 1 - uv[:, 1]], axis=1) * ATLAS_SIZE
    np.testing.assert_allclose(pixels[[RIGHT_EYE_OUTER, LEFT_EYE_OUTER], 0], [75, 181], atol=0.5)
    np.testing.assert_allclose(pixels[[RIGHT_EYE_OUTER, LEFT_EYE_OUTER], 1], [72, 72], atol=0.5)
    assert pixels[NOSE_BASE, 1] == pytest.approx(122, abs=0.5)
    assert 0 < pixels.min() < pixels.max() < ATLAS_SIZE
