"""Head pose against scikit-image's similarity estimate and scipy's rotations."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from skimage.transform import SimilarityTransform

from backend.normalisation import pose


@pytest.fixture
def cloud():
    return np.random.default_rng(1).normal(size=(30, 3))


def random_similarity(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rotation = Rotation.random(random_state=seed).as_matrix()
    return np.concatenate([rng.uniform(0.2, 5) * rotation, rng.normal(size=(3, 1))], axis=1)


def test_agrees_with_scikit_image_on_noisy_points(cloud):
    noisy = pose.apply(random_similarity(3), cloud) + np.random.default_rng(2).normal(scale=0.05, size=cloud.shape)
    ours = pose.fit_similarity(cloud[None], noisy, np.ones(30), robust=False)[0]
    theirs = SimilarityTransform.from_estimate(cloud, noisy)
    np.testing.assert_allclose(ours, theirs.params[:3], atol=1e-9)


def test_never_returns_a_reflection(cloud):
    matrix = pose.fit_similarity(cloud[None], cloud * [-1, 1, 1], np.ones(30))[0]
    assert np.linalg.det(matrix[:, :3]) > 0


def test_moving_points_do_not_pull_a_robust_fit(cloud):
    truth = random_similarity(5)
    target = pose.apply(truth, cloud)
    target[:6] += 2.0
    plain = pose.fit_similarity(cloud[None], target, np.ones(30), robust=False)[0]
    robust = pose.fit_similarity(cloud[None], target, np.ones(30))[0]
    assert np.abs(robust - truth).max() < 0.02 * np.abs(plain - truth).max()


def test_weightless_points_are_ignored(cloud):
    truth = random_similarity(6)
    target = pose.apply(truth, cloud)
    target[:10] += np.random.default_rng(0).normal(size=(10, 3)) * 9
    weights = np.r_[np.zeros(10), np.ones(20)]
    np.testing.assert_allclose(pose.fit_similarity(cloud[None], target, weights)[0], truth, atol=1e-6)


def test_frames_with_gaps_give_nan_and_leave_the_others_alone(cloud):
    frames = np.stack([cloud, np.full_like(cloud, np.nan), cloud])
    matrices = pose.fit_similarity(frames, cloud, np.ones(30))
    assert np.isnan(matrices[1]).all()
    np.testing.assert_allclose(matrices[[0, 2]], np.broadcast_to(np.eye(3, 4), (2, 3, 4)), atol=1e-9)


def test_invert_undoes_apply(cloud):
    matrix = random_similarity(8)
    np.testing.assert_allclose(pose.apply(pose.invert(matrix), pose.apply(matrix, cloud)), cloud, atol=1e-9)
    assert pose.scale_of(matrix) == pytest.approx(np.linalg.norm(matrix[0, :3]))


@pytest.mark.parametrize("axis, angles", [("y", (20, 0, 0)), ("x", (0, 20, 0)), ("z", (0, 0, 20))])
def test_angles_of_a_head_turned_about_one_axis(axis, angles):
    # A head vertex v (x right, y up, z to the viewer) is seen at diag(1, -1, -1) @ turn @ v in the frame.
    turn = Rotation.from_euler(axis, -20 if axis == "x" else 20, degrees=True).as_matrix()
    head_to_frame = np.diag([1.0, -1, -1]) @ turn
    matrix = np.concatenate([head_to_frame.T * 3, np.zeros((3, 1))], axis=1)
    np.testing.assert_allclose(pose.yaw_pitch_roll(matrix), angles, atol=1e-9)
