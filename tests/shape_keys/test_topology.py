"""The face topology against MediaPipe's own tables and against what a closed, oriented, symmetric mesh must satisfy."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from shape_keys import topology as t


def directed_edges(triangles: np.ndarray) -> Counter:
    return Counter((int(a), int(b)) for i in range(3) for a, b in triangles[:, [i, (i + 1) % 3]])


def signed_areas(triangles: np.ndarray) -> np.ndarray:
    a, b, c = (t.CANONICAL_FACE[triangles[:, i], :2] for i in range(3))
    return np.cross(b - a, c - a) / 2


def test_counts():
    assert t.TRIANGLES.shape == (898, 3)
    assert t.TRIANGLES.dtype == np.int32
    assert (t.MOUTH_TRIANGLES.shape, t.TESSELATION.shape, t.EYE_TRIANGLES.shape) == ((18, 3), (852, 3), (28, 3))
    assert np.array_equal(t.TRIANGLES[:18], t.MOUTH_TRIANGLES)
    assert np.array_equal(np.unique(t.TRIANGLES), np.arange(468))


def test_tesselation_is_mediapipes():
    connections = pytest.importorskip("mediapipe.python.solutions.face_mesh_connections")
    ours = directed_edges(t.TESSELATION)
    assert len(ours) == 2556
    assert set(ours) == set(connections.FACEMESH_TESSELATION)


@pytest.mark.parametrize(
    ("contour", "ours"),
    [
        ("FACEMESH_LIPS", t.LIPS),
        ("FACEMESH_RIGHT_EYE", t.RIGHT_EYE),
        ("FACEMESH_LEFT_EYE", t.LEFT_EYE),
        ("FACEMESH_RIGHT_EYEBROW", t.RIGHT_EYEBROW),
        ("FACEMESH_LEFT_EYEBROW", t.LEFT_EYEBROW),
        ("FACEMESH_FACE_OVAL", t.FACE_OVAL),
    ],
)
def test_index_sets_are_mediapipes(contour, ours):
    connections = pytest.importorskip("mediapipe.python.solutions.face_mesh_connections")
    assert set(ours.tolist()) == {vertex for edge in getattr(connections, contour) for vertex in edge}
    assert len(set(ours.tolist())) == len(ours)


def test_surface_is_a_disc_with_one_border():
    edges = directed_edges(t.TRIANGLES)
    assert max(edges.values()) == 1, "two triangles run along the same edge in the same direction"
    border = {(a, b) for a, b in edges if (b, a) not in edges}
    oval = t.FACE_OVAL[::-1].tolist()
    assert border == set(zip(oval, oval[1:] + oval[:1], strict=True))
    undirected = {frozenset(edge) for edge in edges}
    assert t.VERTEX_COUNT - len(undirected) + len(t.TRIANGLES) == 1  # Euler characteristic of a disc


def test_counter_clockwise_seen_from_the_viewer():
    areas = signed_areas(t.TRIANGLES)
    assert (areas > 0).sum() >= 884  # nostrils and inner lip corners fold over: "a dozen", method.md
    assert areas[areas < 0].sum() > -0.001 * areas.sum()
    assert (signed_areas(t.EYE_TRIANGLES) > 0).all()


def test_loops_walk_along_mesh_edges():
    edges = {frozenset(edge) for edge in directed_edges(t.TRIANGLES)}
    for loop in (t.RIGHT_EYE, t.LEFT_EYE, t.FACE_OVAL):
        assert all(frozenset(map(int, pair)) in edges for pair in zip(loop, np.roll(loop, -1), strict=True))
    for chain in (t.INNER_LIP_UPPER, t.INNER_LIP_LOWER, t.OUTER_LIP_UPPER, t.OUTER_LIP_LOWER, t.JAW):
        assert all(frozenset(map(int, pair)) in edges for pair in pairwise(chain))


def test_mirror_is_an_involution_of_220_pairs():
    assert np.array_equal(t.MIRROR[t.MIRROR], np.arange(468))
    assert (np.arange(468) == t.MIRROR).sum() == 28
    assert t.MIRROR[[33, 61, 78, 127, 129, 133, 234]].tolist() == [263, 291, 308, 356, 358, 362, 454]


def test_mirror_keeps_edges_and_sets():
    edges = {frozenset(edge) for edge in directed_edges(t.TESSELATION)}
    kept = {frozenset(int(t.MIRROR[v]) for v in edge) for edge in edges} & edges
    assert len(kept) >= 1316  # MediaPipe's own mesh has three pairs of unlike diagonals among 1322 edges
    for chain in (t.INNER_LIP_UPPER, t.INNER_LIP_LOWER, t.OUTER_LIP_UPPER, t.OUTER_LIP_LOWER, t.JAW):
        assert np.array_equal(t.MIRROR[chain], chain[::-1])
    assert np.array_equal(t.MIRROR[t.RIGHT_EYE], t.LEFT_EYE)
    assert set(t.MIRROR[t.RIGID].tolist()) == set(t.RIGID.tolist())
    mouth = {frozenset(map(int, triangle)) for triangle in t.MOUTH_TRIANGLES}
    assert {frozenset(int(t.MIRROR[v]) for v in triangle) for triangle in mouth} == mouth


def test_rigid_set():
    assert len(t.RIGID) == len(t.RIGID_WEIGHTS) == 25
    assert dict(zip(t.RIGID.tolist(), t.RIGID_WEIGHTS.tolist(), strict=True))[129] == 0.5
    assert t.RIGID_WEIGHTS.sum() == 24
    assert not set(t.RIGID.tolist()) & {132, 136, 147, 205, *t.RIGHT_EYEBROW.tolist()}


def test_canonical_face_is_in_head_space():
    face = t.CANONICAL_FACE
    assert face.dtype == np.float32
    assert np.allclose(face[t.LEFT_EYE_OUTER] - face[t.RIGHT_EYE_OUTER], [1, 0, 0], atol=1e-6)
    assert np.allclose(face[[t.LEFT_EYE_OUTER, t.RIGHT_EYE_OUTER], 1], 0, atol=1e-6)
    assert np.array_equal(face[t.MIRROR] * np.float32([-1, 1, 1]), face)
    assert face[t.NOSE_TIP, 1] > face[t.UPPER_INNER_LIP, 1]
    assert face[t.UPPER_INNER_LIP, 1] > face[t.LOWER_INNER_LIP, 1] > face[t.CHIN, 1]
    assert np.argmax(face[:, 2]) in (t.NOSE_TIP, 4)


def test_most_vertices_lie_on_the_reference_cylinder():
    radius = np.hypot(t.CANONICAL_FACE[:, 0], t.CANONICAL_FACE[:, 2])
    # method.md, measured in centimetres: r = 7.28 with the outer eye corners 8.9 apart, 76 % within 10 %.
    assert abs(t.CYLINDER_RADIUS / (7.28 / 8.9) - 1) < 0.02
    assert (abs(radius / t.CYLINDER_RADIUS - 1) < 0.1).mean() > 0.7


def test_arrays_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        t.TRIANGLES[0, 0] = 1
