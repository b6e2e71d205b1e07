"""Lip crops of single frames, with and without lighting normalisation."""

import numpy as np
import pytest

from backend.normalisation.atlas import lip_crop, map_atlas, unwrap
from backend.normalisation.cylinder import fit_cylinder, to_head_space
from backend.normalisation.pose import apply
from backend.normalisation.space import SpeakerSpace
from backend.training.clips import normalised_crop
from backend.training.dataset import DatasetConfig
from shape_keys.topology import CANONICAL_FACE, FACE_OVAL, INNER_LIP_LOWER, VERTEX_COUNT

SKIN = np.array([0.62, 0.45, 0.36], np.float32)


@pytest.fixture(scope="module")
def space() -> SpeakerSpace:
    face = CANONICAL_FACE.copy()
    face[list(INNER_LIP_LOWER[1:-1]), 1] -= 0.1  # a mouth that is open, so that its fill has room
    matrix, radius = to_head_space(face)
    vertices = apply(matrix, face).astype(np.float32)
    cylinder = fit_cylinder(vertices, radius)
    uv = cylinder.project(vertices)
    seen = np.ones(VERTEX_COUNT, np.float32)
    seen[list(FACE_OVAL)] = 0.25
    return SpeakerSpace(vertices, uv, cylinder, lip_crop(uv), seen)


@pytest.fixture(scope="module")
def landmarks(space) -> np.ndarray:
    """Where the layout lies in a frame of 300x300 pixels."""
    return np.concatenate([20 + 260 * (space.uv * [1, -1] + [0, 1]), np.zeros((VERTEX_COUNT, 1))], axis=1)


@pytest.fixture(scope="module")
def dim_frame() -> np.ndarray:
    """Spotted skin at 60 % of the reference's light."""
    rng = np.random.default_rng(0)
    spots = rng.normal(1.0, 0.1, size=(30, 30, 1)).repeat(10, axis=0).repeat(10, axis=1)
    return np.round(np.clip(0.6 * SKIN * spots, 0, 1) * 255).astype(np.uint8)


@pytest.fixture(scope="module")
def reference(space, landmarks, dim_frame) -> np.ndarray:
    return unwrap(dim_frame, landmarks, map_atlas(space.uv)).astype(np.float32) / 255 / 0.6


def test_without_normalisation_a_crop_keeps_its_light(space, landmarks, dim_frame, reference):
    crop, agreement = normalised_crop(dim_frame, landmarks, space, reference, DatasetConfig(lighting=False))
    filmed = space.crop.cut(unwrap(dim_frame, landmarks, space.atlas_map))
    seen = space.crop.cut(space.seen) == 1
    np.testing.assert_array_equal(crop[seen], filmed[seen])
    assert (agreement == 255).all()


def test_with_it_a_crop_takes_the_light_of_the_reference(space, landmarks, dim_frame, reference):
    crop, agreement = normalised_crop(dim_frame, landmarks, space, reference, DatasetConfig())
    skin = space.crop.cut(space.skin)
    error = np.abs(crop / 255 - space.crop.cut(reference))[skin]
    assert error.mean() < 0.01
    assert agreement.min() > 100


@pytest.mark.parametrize("lighting", [True, False])
def test_what_the_camera_does_not_see_is_the_references(space, landmarks, dim_frame, reference, lighting):
    crop, _ = normalised_crop(dim_frame, landmarks, space, reference, DatasetConfig(lighting=lighting))
    filmed = space.crop.cut(unwrap(dim_frame, landmarks, space.atlas_map)).astype(float) / 255
    seen = space.crop.cut(space.seen)
    hidden = (seen < 0.5) & space.crop.cut(space.atlas_map.covered)
    assert hidden.sum() > 100
    if not lighting:
        share = seen[hidden][:, None]
        expected = share * filmed[hidden] + (1 - share) * space.crop.cut(reference)[hidden]
        np.testing.assert_allclose(crop[hidden] / 255, expected, atol=0.003)
    else:
        assert np.abs(crop / 255 - space.crop.cut(reference))[hidden].mean() < 0.03
