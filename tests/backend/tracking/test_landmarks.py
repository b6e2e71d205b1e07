"""Following one face: which one, through what, and the newer model's plumbing."""

from types import SimpleNamespace

import numpy as np
import pytest

from backend.errors import UsageError
from backend.tracking import landmarks
from backend.tracking.landmarks import FaceMeshTracker, TaskTracker, choose_face, open_tracker, track


def face_at(x: float, width: float) -> np.ndarray:
    face = np.zeros((478, 3), np.float32)
    face[:, 0] = np.linspace(x, x + width, 478)
    return face


class ScriptedTracker:
    """Finds what it is told to."""

    count = 478

    def __init__(self, faces: list[list[np.ndarray]]) -> None:
        self._faces = iter(faces)

    def faces(self, image: np.ndarray, time: float) -> list[np.ndarray]:
        return next(self._faces)

    def close(self) -> None:
        raise AssertionError("a tracker that was lent is not to be closed")


def test_the_largest_face_is_taken_first_and_then_kept():
    small, large = face_at(0, 40), face_at(300, 100)
    assert choose_face([small, large], None) is large
    assert choose_face([small, large], face_at(5, 42)) is small
    assert choose_face([], small) is None


def test_gaps_are_not_filled_and_rivals_are_measured():
    image = np.zeros((90, 160, 3), np.uint8)
    speaker, other = face_at(0, 40), face_at(100, 30)
    script = [[speaker], [], [other, speaker], [speaker]]
    result = track([(index / 25, image) for index in range(4)], ScriptedTracker(script))
    assert result.found.tolist() == [True, False, True, True]
    assert np.isnan(result.landmarks[1]).all()
    assert result.rival == pytest.approx([0, 0, 0.75, 0])
    assert (result.width, result.height) == (160, 90)
    assert result.landmarks.shape == (4, 478, 3)


def test_long_videos_grow_the_landmarks_in_place(monkeypatch):
    monkeypatch.setattr(landmarks, "CHUNK", 3)
    image = np.zeros((20, 20, 3), np.uint8)
    script = [[face_at(number, 10)] for number in range(8)]
    result = track([(number / 25, image) for number in range(8)], ScriptedTracker(script))
    assert result.landmarks[:, 0, 0].tolist() == list(range(8))


def test_no_frames_give_an_empty_track():
    assert len(track([], ScriptedTracker([])).times) == 0


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
        score = SimpleNamespace(category_name="jawOpen", score=0.7)
        return SimpleNamespace(
            face_landmarks=[[point] * 478], face_blendshapes=[[score]], facial_transformation_matrixes=[np.eye(4)]
        )


def test_the_task_api_is_called_as_it_asks_to_be(tmp_path, monkeypatch):
    """Stamps grow in milliseconds even where the next clip starts at 0; pixels, scores and matrix come through."""
    task = FakeTask()
    vision = SimpleNamespace(
        FaceLandmarkerOptions=SimpleNamespace,
        RunningMode=SimpleNamespace(VIDEO="video"),
        FaceLandmarker=SimpleNamespace(create_from_options=lambda options: task),
    )
    mediapipe = SimpleNamespace(
        tasks=SimpleNamespace(vision=vision, BaseOptions=SimpleNamespace),
        ImageFormat=SimpleNamespace(SRGB="srgb"),
        Image=lambda kind, image: image,
    )
    monkeypatch.setattr(landmarks, "_import_mediapipe", lambda: mediapipe)
    model = tmp_path / "face.task"
    model.write_bytes(b"stands in for a model")
    tracker = TaskTracker(model)
    image = np.zeros((100, 200, 3), np.uint8)
    faces = [tracker.faces(image, time)[0] for time in (0.0, 0.04, 0.0, 0.04)]
    assert task.stamps == [0, 40, 41, 42]
    np.testing.assert_allclose(faces[0][0], [100, 25, -20])
    assert tracker.blendshapes == {"jawOpen": 0.7}
    np.testing.assert_array_equal(tracker.transformation, np.eye(4))
