"""The rasteriser against scikit-image's polygons, and unwrapping against pictures that are known exactly."""

import numpy as np
import pytest
from skimage.draw import polygon2mask

from backend.normalisation.atlas import lip_crop, map_atlas, mouth_opening, signed_areas, unwrap
from backend.normalisation.cylinder import fit_cylinder, to_head_space
from backend.normalisation.pose import apply
from shape_keys.topology import CANONICAL_FACE, CHIN, FACE_OVAL, INNER_LIP_LOWER, MOUTH_TRIANGLES, TRIANGLES


@pytest.fixture(scope="module")
def layout() -> np.ndarray:
    face = CANONICAL_FACE.copy()
    face[list(INNER_LIP_LOWER[1:-1]), 1] -= 0.1  # a mouth that is open, so that its fill has room
    matrix, radius = to_head_space(face)
    return fit_cylinder(apply(matrix, face), radius).project(apply(matrix, face))


@pytest.fixture(scope="module")
def atlas_map(layout):
    return map_atlas(layout)


def rows_columns(uv: np.ndarray) -> np.ndarray:
    return np.stack([(1 - uv[:, 1]) * 256 - 0.5, uv[:, 0] * 256 - 0.5], axis=1)


def test_coverage_is_the_face_oval_without_cracks(layout, atlas_map):
    oval = polygon2mask((256, 256), rows_columns(layout[list(FACE_OVAL)]))
    assert np.mean(atlas_map.covered == oval) > 0.995
    from scipy.ndimage import binary_fill_holes

    assert np.array_equal(binary_fill_holes(atlas_map.covered), atlas_map.covered)


def test_single_triangles_match_scikit_image():
    rng = np.random.default_rng(0)
    for _ in range(20):
        uv = rng.uniform(0.05, 0.95, size=(3, 2)).astype(np.float32)
        triangle = np.array([[0, 1, 2]] if signed_areas(uv, np.array([[0, 1, 2]]))[0] > 0 else [[0, 2, 1]], np.int32)
        ours, theirs = map_atlas(uv, triangle).covered, polygon2mask((256, 256), rows_columns(uv))
        assert np.sum(ours != theirs) <= 6  # pixels whose centre lies on an edge


def test_folded_triangles_are_skipped_and_later_ones_win():
    square = np.array([[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]], np.float32)
    folded = map_atlas(square, np.array([[0, 1, 2], [0, 2, 1]], np.int32))
    assert set(np.unique(folded.triangle)) == {-1, 0}
    twice = map_atlas(square, np.array([[0, 1, 2], [0, 1, 2]], np.int32))
    assert set(np.unique(twice.triangle)) == {-1, 1}


def test_interpolation_is_linear_over_the_mesh(layout, atlas_map):
    spread = atlas_map.interpolate(layout * 256)
    row, column = np.nonzero(atlas_map.covered)
    np.testing.assert_allclose(spread[row, column, 0], column + 0.5, atol=0.02)
    np.testing.assert_allclose(256 - spread[row, column, 1], row + 0.5, atol=0.02)


def test_unwrapping_a_ramp_returns_the_ramp(layout, atlas_map):
    landmarks = np.stack([100 + 200 * layout[:, 0], 60 + 200 * (1 - layout[:, 1])], axis=1)
    y, x = np.mgrid[0:320, 0:400]
    image = np.stack([x / 2, y / 2, (x + y) / 4], axis=2).round().astype(np.uint8)
    atlas = unwrap(image, landmarks, atlas_map).astype(float)
    row, column = np.nonzero(atlas_map.covered)
    expected_x = 100 + 200 * (column + 0.5) / 256 - 0.5
    np.testing.assert_allclose(atlas[row, column, 0], expected_x / 2, atol=1.01)


def test_a_large_face_is_shrunk_without_aliasing(layout, atlas_map):
    """A one-pixel checkerboard much finer than the atlas must come out grey, not as moire."""
    landmarks = np.stack([1400 * layout[:, 0], 1400 * (1 - layout[:, 1])], axis=1)
    y, x = np.mgrid[0:1400, 0:1400]
    image = np.repeat((((x + y) % 2) * 255).astype(np.uint8)[..., None], 3, axis=2)
    atlas = unwrap(image, landmarks, atlas_map).astype(float)
    assert np.abs(atlas[atlas_map.covered] - 127.5).max() < 12


def test_black_background_never_bleeds_into_the_border(layout, atlas_map):
    landmarks = np.stack([256 * layout[:, 0], 256 * (1 - layout[:, 1])], axis=1)
    image = np.full((256, 256, 3), 200, np.uint8)
    assert unwrap(image, landmarks, atlas_map).min() == 200


def test_crop_is_centred_with_the_chin_above_its_edge(layout):
    crop = lip_crop(layout)
    assert (crop.x, crop.width, crop.height) == (64, 128, 128)
    chin = (1 - layout[CHIN, 1]) * 256 - crop.y
    assert chin == pytest.approx(0.85 * 128, abs=1) or crop.y == 128


def test_mouth_opening_is_the_share_of_the_layouts_interior(layout):
    half = layout.copy()
    middle = layout[list(MOUTH_TRIANGLES.ravel()), 1].max()
    half[:, 1] = middle + (half[:, 1] - middle) / 2
    np.testing.assert_allclose(mouth_opening(np.stack([layout, half]), layout), [1.0, 0.5], atol=1e-5)
    assert len(TRIANGLES) == 898
