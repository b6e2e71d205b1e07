"""What the tracker adds to a turning face, from formula-made faces that it is added to."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from backend.normalisation.pose import yaw_pitch_roll
from backend.normalisation.reference import lip_ratio
from backend.normalisation.turning import Turning, fit_turning
from shape_keys.basis import load_basis
from shape_keys.topology import CANONICAL_FACE, INNER_LIP_LOWER, INNER_LIP_UPPER

JAW_OPEN = 17
FPS = 25


def video(seconds: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Faces (T, 468, 3) that speak, poses of a head that looks about slowly, times, and how far the jaw is open."""
    times = np.arange(round(seconds * FPS)) / FPS
    generator = np.random.default_rng(seed)
    angles = np.stack([8 * np.sin(2 * np.pi * times / 21), 5 * np.sin(2 * np.pi * times / 16 + 1), 0 * times], axis=1)
    turns = Rotation.from_euler("YXZ", angles * [1, -1, 1], degrees=True).as_matrix()
    frame = np.diag([1.0, -1.0, -1.0])
    rotations = np.swapaxes(frame @ turns, 1, 2)
    poses = np.concatenate([rotations / 100, np.zeros((len(times), 3, 1))], axis=2)
    # The mouth opens and shuts four times a second, and further when the head looks up, as speakers' do.
    opening = (0.5 + 0.5 * np.sin(2 * np.pi * 4 * times)) * generator.uniform(0.2, 1, len(times))
    faces = CANONICAL_FACE + opening[:, None, None] * load_basis()[JAW_OPEN]
    return faces, poses, times, opening


def test_it_is_learnt_and_taken_off():
    faces, poses, times, _ = video(120)
    slopes = np.zeros((3, 468, 3))
    slopes[0, :, 0] = 0.001 * CANONICAL_FACE[:, 0]
    slopes[1, :, 2] = 0.002
    angles = yaw_pitch_roll(poses)
    tracked = faces + np.tensordot(angles, slopes, 1)
    turning = fit_turning(tracked, poses, times, np.zeros(len(times)), np.zeros(3))
    left = tracked - turning.offsets(poses) - faces
    assert np.abs(left).mean() < 0.3 * np.abs(tracked - faces).mean()
    assert np.corrcoef(lip_ratio(tracked - turning.offsets(poses)), lip_ratio(faces))[0, 1] > 0.99
    np.testing.assert_allclose(turning.reach, np.abs(angles).max(axis=0), rtol=1e-5)


def test_what_is_said_is_not_taken_for_it():
    faces, poses, times, _ = video(120)
    turning = fit_turning(faces, poses, times, np.zeros(len(times)), np.zeros(3))
    assert np.abs(turning.offsets(poses)).max() < 0.05 * np.abs(faces - CANONICAL_FACE).max()


@pytest.mark.parametrize("seconds", [0.04, 1, 8])
def test_a_short_video_changes_little(seconds):
    faces, poses, times, _ = video(seconds)
    tracked = faces + yaw_pitch_roll(poses)[:, :1, None] * 0.002
    turning = fit_turning(tracked, poses, times, np.zeros(len(times)), np.zeros(3))
    assert np.abs(turning.slopes).max() < 0.001


def test_clips_do_not_run_into_each_other_and_gaps_are_passed_over():
    faces, poses, times, _ = video(60)
    tracked = faces + yaw_pitch_roll(poses)[:, :1, None] * 0.002
    tracked[100:140], poses[100:140] = np.nan, np.nan
    clip = np.repeat(np.arange(20), len(times) // 20)
    within = times - np.repeat(times[clip.searchsorted(np.arange(20))], len(times) // 20)
    turning = fit_turning(tracked, poses, within, clip, np.zeros(3))
    assert turning.slopes[0].mean() == pytest.approx(0.002, rel=0.15)
    order = np.concatenate([np.flatnonzero(clip == number) for number in np.random.default_rng(0).permutation(20)])
    again = fit_turning(tracked[order], poses[order], within[order], clip[order], np.zeros(3))
    np.testing.assert_allclose(again.slopes, turning.slopes, atol=1e-7)


def test_a_head_turned_further_than_ever_changes_no_more():
    turning = Turning(np.zeros(3), np.array([10.0, 5, 5]), np.full((3, 468, 3), 0.001, np.float32))
    _, poses, *_ = video(1)
    far = poses.copy()
    far[:, :, :3] = np.swapaxes(np.diag([1.0, -1, -1]) @ Rotation.from_euler("y", 40, degrees=True).as_matrix(), 0, 1)
    np.testing.assert_allclose(turning.offsets(far), 0.01, atol=1e-6)


def test_lips_that_touch_still_touch():
    faces, poses, times, _ = video(120)
    tracked = faces + yaw_pitch_roll(poses)[:, 1:2, None] * np.linspace(-0.002, 0.002, 468)[:, None]
    turning = fit_turning(tracked, poses, times, np.zeros(len(times)), np.zeros(3))
    gaps = (
        faces[:, INNER_LIP_UPPER] - faces[:, INNER_LIP_LOWER] for faces in (tracked, tracked - turning.offsets(poses))
    )
    before, after = gaps
    np.testing.assert_allclose(after, before, atol=1e-6)
    assert np.abs(turning.slopes[1]).max() > 0.001


def test_nothing_is_taken_off_by_default():
    _, poses, *_ = video(1)
    assert not Turning().offsets(poses).any()
