"""The finders of faces: two views of each picture, and the newer model's plumbing."""

import os
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest

from backend.errors import UsageError
from backend.tracking import trackers
from backend.tracking.quiet import quiet_stderr
from backend.tracking.trackers import FaceMeshTracker, TaskTracker, mean_faces, mirror_face, open_tracker
from backend.video.decode import iterate_frames
from shape_keys.topology import CANONICAL_FACE


def face_at(x: float) -> np.ndarray:
    """MediaPipe's own face, 100 pixels wide, in the picture at (x, 80)."""
    return (CANONICAL_FACE / np.ptp(CANONICAL_FACE[:, 0]) * [100, -100, -100] + [x, 80, 0]).astype(np.float32)


def test_a_mirrored_face_is_itself_where_it_was_seen():
    np.testing.assert_allclose(mirror_face(face_at(70), 320), face_at(250), atol=1e-4)


def test_only_faces_that_both_views_show_are_found():
    near = face_at(72)
    (mean,) = mean_faces([face_at(70), face_at(250)], [near])
    np.testing.assert_allclose(mean, face_at(71), atol=1e-4)
    assert mean_faces([face_at(70)], []) == mean_faces([], [near]) == []


def test_a_mirrored_video_gives_the_mirrored_face(shared):
    """Neither side of the picture is another than the other, whatever the tracker's own leaning."""
    images = [image for _, image in islice(iterate_frames(shared / "actor" / "actor.mp4"), 3)]
    found = []
    for pictures in (images, [image[:, ::-1] for image in images]):
        tracker = open_tracker()
        found.append([tracker.faces(image, index / 25)[0] for index, image in enumerate(pictures)])
        tracker.close()
    for face, mirrored in zip(*found, strict=True):
        np.testing.assert_allclose(mirror_face(mirrored, images[0].shape[1]), face, atol=1e-3)


def test_silent_blocks_of_two_threads_may_overlap(capfd):
    first, second = quiet_stderr(), quiet_stderr()
    with first:
        second.__enter__()
        os.write(2, b"hidden")
    os.write(2, b"hidden as well")
    second.__exit__(None, None, None)
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"


def test_pictures_too_small_or_empty_hold_no_face():
    tracker = FaceMeshTracker()
    try:
        assert tracker.faces(np.zeros((1, 1, 3), np.uint8), 0.0) == []
        assert tracker.faces(np.zeros((120, 160, 3), np.uint8), 0.0) == []
    finally:
        tracker.close()


def test_a_missing_or_foreign_task_file_gets_a_sentence(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        open_tracker(tmp_path / "none.task")
    text = tmp_path / "text.task"
    text.write_text("no model")
    with pytest.raises(UsageError, match=r"text\.task is not a face landmarker \.task file"):
        open_tracker(text)


class FakeTask:
    """Stands in for MediaPipe's FaceLandmarker, whose model is not on this machine: keeps what it is given."""

    def __init__(self) -> None:
        self.stamps: list[int] = []

    def detect_for_video(self, picture: np.ndarray, stamp: int) -> SimpleNamespace:
        self.stamps.append(stamp)
        point = SimpleNamespace(x=0.5, y=0.25, z=-0.1)
        return SimpleNamespace(face_landmarks=[[point] * 478])


def test_the_task_api_is_called_as_it_asks_to_be(tmp_path, monkeypatch):
    """Stamps grow in milliseconds even where a clip starts at 0; pixels come through; nothing else is computed."""
    task, asked = FakeTask(), []
    vision = SimpleNamespace(
        FaceLandmarkerOptions=SimpleNamespace,
        RunningMode=SimpleNamespace(VIDEO="video"),
        FaceLandmarker=SimpleNamespace(create_from_options=lambda options: asked.append(options) or task),
    )
    mediapipe = SimpleNamespace(
        tasks=SimpleNamespace(vision=vision, BaseOptions=SimpleNamespace),
        ImageFormat=SimpleNamespace(SRGB="srgb"),
        Image=lambda kind, image: image,
    )
    monkeypatch.setattr(trackers, "_import_mediapipe", lambda: mediapipe)
    model = tmp_path / "face.task"
    model.write_bytes(b"stands in for a model")
    tracker = TaskTracker(model)
    image = np.zeros((100, 200, 3), np.uint8)
    faces = [tracker.faces(image, time)[0] for time in (0.0, 0.04, 0.0, 0.04)]
    assert task.stamps == [0, 40, 41, 42]
    np.testing.assert_allclose(faces[0][0], [100, 25, -20])
    assert set(vars(asked[0])) == {"base_options", "running_mode", "num_faces"}
