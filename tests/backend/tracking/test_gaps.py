"""Frames that are not the speaker's, or not to be believed, are found and named."""

import itertools

import numpy as np
import pytest

from backend.normalisation.pose import yaw_pitch_roll
from backend.normalisation.reference import measure_quality, rough_poses
from backend.tracking.gaps import BLACK_LEVEL, Gap, SceneSigns, count_gaps, describe_gaps, find_gaps
from backend.tracking.landmarks import Track, track
from backend.tracking.trackers import open_tracker
from backend.training.tracked_clip import blank_gaps
from backend.video.decode import iterate_frames
from shape_keys.topology import CANONICAL_FACE, CHIN, LOWER_INNER_LIP


def tracked_gaps(images: list[np.ndarray]) -> np.ndarray:
    signs, tracker = SceneSigns(), open_tracker()

    def observe(index: int, image: np.ndarray, face: np.ndarray | None) -> None:
        signs.observe(image, None if face is None else measure_quality(image, face).brightness)

    try:
        frames = ((index / 25, image) for index, image in enumerate(images))
        result = track(frames, tracker, observe)
    finally:
        tracker.close()
    return blank_gaps(result, signs)


def pictures(path, count: int) -> list[np.ndarray]:
    return [image for _, image in itertools.islice(iterate_frames(path), count)]


@pytest.fixture(scope="module")
def speaker(shared):
    return pictures(shared / "grid_s1" / "bbaf4p.mp4", 20)


@pytest.fixture(scope="module")
def other(shared):
    return pictures(sorted((shared / "grid_speakers" / "s31").glob("*.mp4"))[0], 20)


def test_plain_footage_has_no_gaps(speaker):
    assert not tracked_gaps(speaker).any()


def test_black_pictures_and_lost_faces(speaker):
    black, empty = np.zeros_like(speaker[0]), np.full_like(speaker[0], 120)
    gaps = tracked_gaps([*speaker[:10], *[black] * 4, *speaker[:10], *[empty] * 4])
    assert (gaps[10:14] == Gap.BLACK).all()
    assert np.isin(gaps[24:], (Gap.NO_FACE, Gap.CUT)).all()
    assert (gaps[26:] == Gap.NO_FACE).all()
    assert not gaps[:10].any()
    assert not gaps[17:24].any()


def test_a_lit_face_before_black_is_no_black_picture(speaker):
    """A black backdrop and black bars: most of the picture is black, the face is as bright as before."""
    tracker = open_tracker()
    (face,) = tracker.faces(speaker[0], 0.0)
    tracker.close()
    (left, top), (right, bottom) = face[:, :2].min(axis=0).astype(int) - 10, face[:, :2].max(axis=0).astype(int) + 10
    backdrop = np.zeros(speaker[0].shape[:2], bool)
    backdrop[top:bottom, left:right] = True
    lit = [np.pad(image * backdrop[..., None] // 2, ((0, 0), (120, 120), (0, 0))) for image in speaker]
    assert lit[0].mean() / 255 < BLACK_LEVEL
    assert not tracked_gaps(lit).any()


def test_a_face_without_light_is_as_a_black_picture(speaker):
    assert (tracked_gaps([(image * 0.04).astype(np.uint8) for image in speaker]) == Gap.BLACK).all()


def test_a_cut_costs_the_frames_in_which_the_tracker_settles(speaker, other):
    shifted = [np.roll(image, 60, axis=1) for image in speaker]  # a jump cut: the same scene, the face elsewhere
    gaps = tracked_gaps([*speaker, *shifted, *other])
    assert (gaps[[20, 21, 40, 41]] == Gap.CUT).all()
    assert np.count_nonzero(gaps) <= 6


def test_a_second_face_of_equal_size_is_ambiguous(speaker, other):
    both = [np.concatenate([a[:, 60:300], b[:, 60:300]], axis=1) for a, b in zip(speaker, other, strict=True)]
    gaps = tracked_gaps(both)
    assert (gaps == Gap.SECOND_FACE).mean() > 0.7


def test_a_face_that_leaves_the_picture(speaker):
    leaving = [np.roll(image, 12 * index, axis=1) for index, image in enumerate(speaker)]
    for index, image in enumerate(leaving):
        image[:, : 12 * index] = 90
    gaps = tracked_gaps(leaving)
    assert not gaps[:6].any()
    assert gaps[-3:].all()
    assert np.isin(gaps[-3:], (Gap.OUTSIDE, Gap.NO_FACE)).all()


def gaps_of(face: np.ndarray) -> np.ndarray:
    """(30,) of a face (468, 3) that stands still in a picture of 640 x 480 pixels."""
    faces = np.repeat(face[None], 30, axis=0).astype(np.float32)
    signs = SceneSigns()
    for _ in range(30):
        signs.observe(np.full((8, 8, 3), 128, np.uint8))
    clip = Track(np.arange(30) / 25, faces, np.ones(30, bool), np.zeros(30, np.float32), 640, 480)
    return find_gaps(clip, signs, yaw_pitch_roll(rough_poses(faces)))


@pytest.mark.parametrize(("yaw", "pitch", "turned"), [(0, 0, 0), (25, 0, 0), (45, 0, 1), (-45, 0, 1), (0, 40, 1)])
def test_extreme_poses(yaw, pitch, turned):
    """The canonical face turned by a known angle, drawn 200 pixels wide in the middle of a picture."""
    y, p = np.radians([yaw, pitch])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    face = CANONICAL_FACE @ (about_y @ about_x).T * [100, -100, -100] + [320, 240, 0]
    assert (gaps_of(face) == turned * Gap.TURNED).all()


@pytest.mark.parametrize(("vertex", "outside"), [(CHIN, 0), (LOWER_INNER_LIP, 1)])
def test_of_what_is_cut_off_the_lips_matter_most(vertex, outside):
    face = CANONICAL_FACE * [100, -100, -100] + [320, 240, 0]
    face[vertex, 1] = 481
    assert (gaps_of(face) == outside * Gap.OUTSIDE).all()


def test_reasons_are_told_in_words():
    gaps = np.array([0, 0, 1, 3, 3, 6], np.uint8)
    assert count_gaps(gaps) == {"black": 1, "no_face": 2, "turned": 1}
    sentences = describe_gaps(gaps, "a.mp4")
    assert len(sentences) == 3
    assert sentences[1] == "a.mp4: 2 of 6 frames are not trained on: no face."
