"""A speaker's space from formula-made frames, and its file."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from backend.errors import InputError
from backend.normalisation.pose import yaw_pitch_roll
from backend.normalisation.space import SpeakerSpace, build_space
from shape_keys.basis import load_basis
from shape_keys.topology import CANONICAL_FACE, LEFT_EYE_OUTER, RIGHT_EYE_OUTER

JAW_OPEN = 17
"""In Apple's order."""


@pytest.fixture(scope="module")
def landmarks() -> np.ndarray:
    """The canonical face in 60 frames, 120 pixels between the eyes: its jaw opens and its head turns by 20 degrees."""
    opening = np.linspace(0, 1, 60)
    faces = CANONICAL_FACE + opening[:, None, None] * load_basis()[JAW_OPEN]
    turns = Rotation.from_euler("y", np.linspace(-20, 20, 60)[:, None], degrees=True).as_matrix()
    frame = np.diag([1.0, -1.0, -1.0])  # y down, z away
    return (120 * faces @ np.swapaxes(frame @ turns, 1, 2) + [200, 200, 0]).astype(np.float32)


@pytest.fixture(scope="module")
def space(landmarks) -> SpeakerSpace:
    return build_space(landmarks, np.abs(np.linspace(-20, 20, 60)), 29, np.arange(60) / 25, np.zeros(60, int))


def test_poses_undo_the_turns(landmarks, space):
    yaw = yaw_pitch_roll(space.poses(landmarks))[:, 0]
    np.testing.assert_allclose(yaw, np.linspace(-20, 20, 60), atol=0.5)
    eyes = space.to_head(landmarks, space.poses(landmarks))[:, [RIGHT_EYE_OUTER, LEFT_EYE_OUTER]]
    np.testing.assert_allclose(eyes, np.broadcast_to(eyes[29], eyes.shape), atol=5e-3)
    assert np.linalg.norm(eyes[29, 1] - eyes[29, 0]) == pytest.approx(1.0, abs=5e-3)


def test_the_file_returns_all_of_it(space, tmp_path):
    assert len(np.unique(space.seen_vertices)) > 20  # the turned head hides some of it
    space.save(tmp_path / "reference.npz")
    again = SpeakerSpace.load(tmp_path / "reference.npz")
    for name in ("vertices", "uv", "seen_vertices"):
        np.testing.assert_array_equal(getattr(again, name), getattr(space, name))
        assert getattr(again, name).dtype == np.float32
    assert (again.cylinder, again.crop) == (space.cylinder, space.crop)
    np.testing.assert_array_equal(again.seen, space.seen)
    np.testing.assert_array_equal(again.skin, space.skin)


@pytest.mark.parametrize("missing", ["seen", "uv", "cylinder_radius", "crop_x"])
def test_a_file_that_lacks_something_is_told(space, tmp_path, missing):
    path = tmp_path / "reference.npz"
    space.save(path)
    with np.load(path) as data:
        rest = {name: data[name] for name in data if name != missing}
    np.savez(path, **rest)
    with pytest.raises(InputError, match="build the dataset again"):
        SpeakerSpace.load(path)


def test_what_is_no_reference_is_told(tmp_path):
    (tmp_path / "reference.npz").write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match="no reference of a speaker"):
        SpeakerSpace.load(tmp_path / "reference.npz")
