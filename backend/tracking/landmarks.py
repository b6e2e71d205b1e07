"""One face followed through the frames of a video."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from backend.tracking.trackers import Tracker, face_centre, face_width, open_tracker

CHUNK = 4096
"""Frames by which the array of landmarks grows: 23 MB."""


@dataclass(frozen=True)
class Track:
    """The face in every frame of one clip."""

    times: np.ndarray
    """(T,) float64 seconds."""
    landmarks: np.ndarray
    """(T, 468 or 478, 3) float32 pixels, x right, y down, z away from the viewer; NaN where no face was found."""
    found: np.ndarray
    """(T,) bool."""
    rival: np.ndarray
    """(T,) float32: width of the largest other face over the followed one's, 0 where there is none."""
    width: int
    height: int


Observer = Callable[[int, np.ndarray, np.ndarray | None], None]
"""Called with (frame number, image, landmarks or None) while a frame is in memory."""


def track(
    frames: Iterable[tuple[float, np.ndarray]], tracker: Tracker | None = None, observe: Observer | None = None
) -> Track:
    """Follow one face through (seconds, (H, W, 3) uint8 RGB) frames.

    The largest face is taken at first, then the one nearest to where it was. Frames without a face are gaps:
    found is False and the landmarks are NaN.
    """
    own = tracker is None
    tracker = tracker or open_tracker()
    store = _LandmarkStore(tracker.count)
    times, rival = [], []
    last: np.ndarray | None = None
    width = height = 0
    try:
        for index, (time, image) in enumerate(frames):
            height, width = image.shape[:2]
            faces = tracker.faces(image, time)
            face = choose_face(faces, last)
            last = face if face is not None else last
            times.append(time)
            rival.append(_rival(faces, face))
            store.add(face)
            if observe is not None:
                observe(index, image, face)
    finally:
        if own:
            tracker.close()
    landmarks = store.finish()
    found = np.isfinite(landmarks[:, 0, 0])
    return Track(np.array(times, np.float64), landmarks, found, np.array(rival, np.float32), width, height)


class _LandmarkStore:
    """Landmarks of a video of unknown length, grown in place: a list to be stacked would be held twice at its end."""

    def __init__(self, count: int) -> None:
        self._array = np.empty((0, count, 3), np.float32)
        self._used = 0

    def add(self, face: np.ndarray | None) -> None:
        if self._used == len(self._array):
            self._resize(self._used + CHUNK)
        self._array[self._used] = np.nan if face is None else face
        self._used += 1

    def finish(self) -> np.ndarray:
        """The (T, count, 3) float32 landmarks, NaN where there was no face."""
        self._resize(self._used)
        return self._array

    def _resize(self, length: int) -> None:
        self._array.resize((length, *self._array.shape[1:]), refcheck=False)


def choose_face(faces: list[np.ndarray], last: np.ndarray | None) -> np.ndarray | None:
    """The face that continues `last`, or the largest; None where there is none.

    Two faces compete by size, halved for every face width between the face and `last`.
    """
    if not faces:
        return None

    def merit(face: np.ndarray) -> float:
        size = face_width(face)
        if last is None:
            return size
        jump = math.dist(face_centre(face), face_centre(last))
        return size * 0.5 ** min(jump / max(face_width(last), 1.0), 60.0)

    return max(faces, key=merit)


def _rival(faces: list[np.ndarray], chosen: np.ndarray | None) -> float:
    others = [face_width(face) for face in faces if face is not chosen]
    return max(others, default=0.0) / max(face_width(chosen), 1.0) if chosen is not None else 0.0
