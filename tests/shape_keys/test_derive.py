"""The deriving scripts: their arithmetic against scikit-image, and the shipped data made anew."""

import numpy as np
import pytest

from shape_keys import topology as t
from shape_keys.basis import load_basis
from shape_keys.derive.mesh import apply_similarity, read_obj, similarity


def test_similarity_against_scikit_image():
    transform = pytest.importorskip("skimage.transform")
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(2, 30, 3))
    scale, rotation, translation = similarity(source, target)
    expected = transform.SimilarityTransform.from_estimate(source, target)
    assert np.allclose(scale * rotation, expected.params[:3, :3])
    assert np.allclose(translation, expected.params[:3, 3])


def test_similarity_ignores_points_without_weight():
    rng = np.random.default_rng(0)
    source = rng.normal(size=(30, 3))
    target = apply_similarity((2.0, np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]]), np.array([1, 2, 3.0])), source)
    target[0] += 9
    assert similarity(source, target, np.arange(30) > 0)[0] == pytest.approx(2)


def test_read_obj(tmp_path):
    path = tmp_path / "a.obj"
    path.write_text("# a\nv 1 2 3\nv 0 0 0\nv 4 5 6\n\nvt 0.5 0.25\nvn 0 0 1\nf 1/1/1 3/1/1 2/1/1\n")
    positions, texture, faces = read_obj(path)
    assert positions.tolist() == [[1, 2, 3], [0, 0, 0], [4, 5, 6]]
    assert texture.tolist() == [[0.5, 0.25]]
    assert faces == [[0, 2, 1]]


def test_topology_is_derived_again(shared):
    connections = pytest.importorskip("mediapipe.python.solutions.face_mesh_connections")
    from shape_keys.derive.topology import derive

    triangles, mirror, face, radius = derive(
        shared / "face3d/mediapipe/canonical_face_model.obj", connections.__file__, shared / "actor/actor.mp4"
    )
    assert np.array_equal(triangles, t.TESSELATION)
    assert np.array_equal(mirror, t.MIRROR)
    assert np.allclose(face, t.CANONICAL_FACE, atol=1e-5)
    assert radius == pytest.approx(t.CYLINDER_RADIUS, abs=1e-5)


def test_basis_is_derived_again(shared):
    pytest.importorskip("mediapipe")
    from shape_keys.derive.basis import derive
    from shape_keys.derive.ict_head import read_head

    basis, figures = derive(read_head(shared / "face3d/ict_facekit"))
    # Half floats; and MediaPipe differs between processors, so that a landmark here and there finds another neighbour.
    apart = np.abs(basis - load_basis())
    assert np.percentile(apart, 99.9) < 2e-3
    assert apart.max() < 1e-2
    assert all(np.isfinite(value) for value in figures.values())
