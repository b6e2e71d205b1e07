"""Following one face: which one, and through what."""

import numpy as np
import pytest

from backend.tracking import landmarks
from backend.tracking.landmarks import choose_face, track


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
