"""Small pictures of faces: what is nearer covers, the face stands in the middle, and eyes and mouth are closed."""

import numpy as np
import pytest

from blender_addon.actor_portrait import actor_portrait, face_triangles
from blender_addon.portrait import draw_portrait
from shape_keys.topology import CANONICAL_FACE, TRIANGLES
from tests.blender_addon.example import layout

SQUARE = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], np.float32)
TWO = np.array([[0, 1, 2], [0, 2, 3]])
UV = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)


def test_a_square_shows_the_atlas_upright() -> None:
    atlas = np.zeros((2, 2, 3), np.float32)
    atlas[1, 0] = (1, 0, 0)  # row 0 is at the bottom: the upper left corner is red
    picture = draw_portrait(SQUARE, TWO, UV, atlas, 50)
    np.testing.assert_array_equal(picture[40, 10], [1, 0, 0, 1])
    np.testing.assert_array_equal(picture[10, 10], [0, 0, 0, 1])
    assert picture[0, 0, 3] == 0
    assert picture[:, :, 3].sum() == pytest.approx((0.88 * 50) ** 2, rel=0.05)


def test_what_is_nearer_covers() -> None:
    near = SQUARE / 2 + [0, 0, 1]
    vertices = np.concatenate([near, SQUARE]).astype(np.float32)
    uv = np.concatenate([np.full((4, 2), 0.9), np.full((4, 2), 0.1)])
    atlas = np.zeros((2, 2, 3), np.float32)
    atlas[1, 1] = 1
    picture = draw_portrait(vertices, np.concatenate([TWO, TWO + 4]), uv, atlas, 40)
    assert picture[20, 20, 0] == 1
    assert picture[5, 5, 0] == 0


def test_the_closed_face_has_the_triangles_of_the_topology() -> None:
    assert len(face_triangles()) == len(TRIANGLES)
    holes = draw_portrait(CANONICAL_FACE, face_triangles(), layout(), np.ones((2, 2, 3)), 96)[:, :, 3]
    rows = [np.flatnonzero(row) for row in holes if row.any()]
    assert all(len(row) == row[-1] - row[0] + 1 for row in rows)


def test_an_actor_without_a_reference_has_no_portrait(tmp_path) -> None:
    assert actor_portrait(tmp_path, np.ones((2, 2, 3)), 16) is None
    (tmp_path / "reference.npz").write_bytes(b"no archive")
    assert actor_portrait(tmp_path, np.ones((2, 2, 3)), 16) is None
