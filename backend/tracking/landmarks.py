"""Face landmarks of every frame of a video, from MediaPipe, behind one interface."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from backend.errors import EnvironmentProblem, UsageError
from backend.tracking.quiet import quiet_stderr

MESH_COUNT = 468
"""Vertices of the face mesh; MediaPipe appends 10 iris points (468-477) when it refines."""

MAX_FACES = 2
"""Faces looked for in a frame. Two are enough to keep to the speaker when somebody else passes."""


CHUNK = 4096
"""Frames by which the array of landmarks grows: 23 MB."""


class Tracker(Protocol):
    """Finds the faces of one frame after another."""

    count: int
    """Landmarks of a face: 468, or 478 with irises."""

    def faces(self, image: np.ndarray, time: float) -> list[np.ndarray]:
        """Faces in (H, W, 3) uint8 RGB at `time` seconds: (count, 3) float32, pixels, x right, y down, z away."""
        ...

    def close(self) -> None:
        """Release the model."""
        ...


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
    tracker = tracker or FaceMeshTracker()
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
        size = _width(face)
        if last is None:
            return size
        jump = math.dist(face[:MESH_COUNT, :2].mean(axis=0), last[:MESH_COUNT, :2].mean(axis=0))
        return size * 0.5 ** min(jump / max(_width(last), 1.0), 60.0)

    return max(faces, key=merit)


def _rival(faces: list[np.ndarray], chosen: np.ndarray | None) -> float:
    others = [_width(face) for face in faces if face is not chosen]
    return max(others, default=0.0) / max(_width(chosen), 1.0) if chosen is not None else 0.0


def _width(face: np.ndarray) -> float:
    return float(np.ptp(face[:MESH_COUNT, 0]))


class FaceMeshTracker:
    """MediaPipe's FaceMesh solution (0.10.21); its models are inside the wheel."""

    count = 478

    def __init__(self) -> None:
        with quiet_stderr():
            mediapipe = _import_mediapipe()
            # refine_landmarks moves the lips and eyelids by an attention mesh; closed lips then read closed.
            self._mesh = mediapipe.solutions.face_mesh.FaceMesh(  # pyright: ignore[reportAttributeAccessIssue]
                static_image_mode=False, max_num_faces=MAX_FACES, refine_landmarks=True
            )
            # The graph starts in threads of its own; one blank picture makes it log while nobody listens.
            self._mesh.process(np.zeros((64, 64, 3), np.uint8))
        self._warm = False

    def faces(self, image: np.ndarray, time: float) -> list[np.ndarray]:
        """See `Tracker.faces`."""
        if min(image.shape[:2]) < 16:  # MediaPipe aborts the process on pictures of a pixel or two
            return []
        with quiet_stderr(not self._warm):
            found = self._mesh.process(image).multi_face_landmarks or []
        self._warm = self._warm or bool(found)
        return [_to_pixels(face.landmark, image.shape) for face in found]

    def close(self) -> None:
        """See `Tracker.close`."""
        self._mesh.close()


class TaskTracker:
    """MediaPipe's FaceLandmarker task with a `.task` file that the user supplies.

    Besides the landmarks it keeps, for the face it found last, 52 blendshape scores by name (`blendshapes`) and
    the 4x4 facial transformation (`transformation`, cm, camera space).
    """

    count = 478

    def __init__(self, model: Path) -> None:
        if not model.is_file():
            raise UsageError(
                f"The face landmarker model {model} does not exist; download face_landmarker.task or leave it out."
            )
        self.blendshapes: dict[str, float] = {}
        self.transformation: np.ndarray | None = None
        with quiet_stderr():
            self._mediapipe = _import_mediapipe()
            vision = self._mediapipe.tasks.vision
            options = vision.FaceLandmarkerOptions(
                base_options=self._mediapipe.tasks.BaseOptions(model_asset_path=str(model)),
                running_mode=vision.RunningMode.VIDEO,
                num_faces=MAX_FACES,
                output_face_blendshapes=True,
                output_facial_transformation_matrixes=True,
            )
            try:
                self._task = vision.FaceLandmarker.create_from_options(options)
            except (RuntimeError, ValueError) as error:
                raise UsageError(f"{model} is not a face landmarker .task file ({error}).") from error
        self._stamp = -1

    def faces(self, image: np.ndarray, time: float) -> list[np.ndarray]:
        """See `Tracker.faces`."""
        if min(image.shape[:2]) < 16:
            return []
        # The task refuses stamps that do not grow, as at the start of the next clip.
        self._stamp = max(self._stamp + 1, round(time * 1000))
        picture = self._mediapipe.Image(self._mediapipe.ImageFormat.SRGB, np.ascontiguousarray(image))
        with quiet_stderr():
            result = self._task.detect_for_video(picture, self._stamp)
        self.blendshapes = {c.category_name: c.score for c in next(iter(result.face_blendshapes), [])}
        self.transformation = next(iter(result.facial_transformation_matrixes), None)
        return [_to_pixels(face, image.shape) for face in result.face_landmarks]

    def close(self) -> None:
        """See `Tracker.close`."""
        self._task.close()


def open_tracker(model: Path | None = None) -> Tracker:
    """FaceMesh, or the task API where the user gives a `.task` file."""
    return FaceMeshTracker() if model is None else TaskTracker(model)


def _to_pixels(landmarks, shape: tuple[int, ...]) -> np.ndarray:
    """(count, 3) float32 pixels; MediaPipe's z has the scale of x, so it too is times the image width."""
    height, width = shape[:2]
    points = np.array([(p.x, p.y, p.z) for p in landmarks], np.float32)
    return points * np.array([width, height, width], np.float32)


def _import_mediapipe():
    try:
        import mediapipe
    except ImportError as error:
        raise EnvironmentProblem(
            "Tracking a face needs mediapipe, which is not installed; run `python3 build.py setup`."
        ) from error
    return mediapipe
