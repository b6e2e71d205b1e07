"""What the camera sees of the canonical face turned by known angles, and the rim that is filled where it sees none."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from backend.normalisation.atlas import map_atlas
from backend.normalisation.cylinder import fit_cylinder, to_head_space
from backend.normalisation.pose import apply
from backend.normalisation.visibility import OPENINGS, facing, fill_unseen, seen_map, seen_share
from shape_keys.topology import CANONICAL_FACE, INNER_LIP_LOWER, LEFT_EYE_OUTER, NOSE_TIP, RIGHT_EYE_OUTER, TRIANGLES

LEFT_CHEEK_BORDER, RIGHT_CHEEK_BORDER = 454, 234
FRONTAL = np.diag([1.0, -1.0, -1.0])
"""The rotation from a frame (y down, z away) to a head that faces the camera."""


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    face = CANONICAL_FACE.copy()
    face[list(INNER_LIP_LOWER[1:-1]), 1] -= 0.1  # a mouth that is open, so that its fill has room
    matrix, _ = to_head_space(face)
    return apply(matrix, face)


@pytest.fixture(scope="module")
def atlas_map(face):
    return map_atlas(fit_cylinder(face, 1.0).project(face))


def pose(yaw: float, scale: float = 0.01) -> np.ndarray:
    """Frame-to-head similarity (1, 3, 4) of a head turned towards the viewer's right by `yaw` degrees."""
    turn = Rotation.from_euler("y", yaw, degrees=True).as_matrix()  # head -> upright viewer's axes
    return np.concatenate([scale * turn.T @ FRONTAL, np.ones((3, 1))], axis=1)[None]


def test_a_triangle_in_the_head_plane_faces_by_the_cosine_of_the_turn():
    flat = np.zeros((1, 468, 3))
    flat[0, TRIANGLES[0]] = [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    for yaw in (0.0, 30.0, -60.0, 120.0):
        cosine = facing(flat, pose(yaw), TRIANGLES[:1])[0, 0]
        assert cosine == pytest.approx(np.cos(np.radians(yaw)), abs=1e-9)


def test_the_far_cheek_is_not_seen(face):
    ahead = seen_share(face[None], pose(0))
    assert ahead[NOSE_TIP] > 0.9
    right = seen_share(face[None], pose(50))
    assert right[LEFT_CHEEK_BORDER] == 0
    assert right[LEFT_EYE_OUTER] < right[RIGHT_EYE_OUTER] == 1


def test_frames_without_a_face_do_not_count(face):
    poses = np.concatenate([pose(20), np.full((1, 3, 4), np.nan)])
    vertices = np.stack([face, np.full_like(face, np.nan)])
    np.testing.assert_array_equal(seen_share(vertices, poses), seen_share(face[None], pose(20)))
    np.testing.assert_array_equal(seen_share(vertices[1:], poses[1:]), 1)


def test_openings_and_steep_places_inside_the_face_count_as_seen(face, atlas_map):
    seen = np.ones(468, np.float32)
    seen[[NOSE_TIP, 13, 14]] = 0
    np.testing.assert_allclose(seen_map(seen, atlas_map), 1, atol=1e-6)
    unseen = seen_map(np.zeros(468, np.float32), atlas_map)
    opening = np.isin(atlas_map.triangle, OPENINGS)
    np.testing.assert_allclose(unseen[opening], 1, atol=1e-6)
    np.testing.assert_array_equal(unseen[~opening], 0)


def test_background_at_the_rim_gives_way_to_the_skin_beside_it():
    seen = np.ones((256, 256), np.float32)
    seen[:, :40] = seen[:, -40:] = 0
    atlas = np.full((256, 256, 3), (0.6, 0.45, 0.35), np.float32)
    atlas[:, :40] = atlas[:, -40:] = (0.1, 0.2, 0.9)
    filled = fill_unseen(atlas, seen)
    np.testing.assert_allclose(filled, np.broadcast_to(np.float32([0.6, 0.45, 0.35]), filled.shape), atol=1e-3)
    np.testing.assert_allclose(filled[:, 60:196], atlas[:, 60:196], atol=1e-5)


def test_the_better_seen_side_lends_its_texture():
    rng = np.random.default_rng(0)
    half = rng.uniform(0.2, 0.8, size=(256, 128, 3)).astype(np.float32)
    even = np.concatenate([half, half[:, ::-1]], axis=1)
    broken, seen = even.copy(), np.ones((256, 256), np.float32)
    broken[:, :40], seen[:, :40] = (0.1, 0.2, 0.9), 0
    np.testing.assert_allclose(fill_unseen(broken, seen), even, atol=1e-5)
