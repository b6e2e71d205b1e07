"""Finders of faces: MediaPipe behind one interface, each frame looked at twice."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np

from backend.errors import EnvironmentProblem, UsageError
from backend.tracking.quiet import quiet_stderr
from shape_keys.topology import MIRROR, VERTEX_COUNT

MAX_FACES = 2
"""Faces looked for in a frame. Two are enough to keep to the speaker when somebody else passes."""

SAME = 0.5
"""Distance of two centres, in face widths, up to which two views show one face."""


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
    """MediaPipe's FaceLandmarker task with a `.task` file that the user supplies."""

    count = 478

    def __init__(self, model: Path) -> None:
        if not model.is_file():
            raise UsageError(
                f"The face landmarker model {model} does not exist; download face_landmarker.task or leave it out."
            )
        with quiet_stderr():
            self._mediapipe = _import_mediapipe()
            vision = self._mediapipe.tasks.vision
            options = vision.FaceLandmarkerOptions(
                base_options=self._mediapipe.tasks.BaseOptions(model_asset_path=str(model)),
                running_mode=vision.RunningMode.VIDEO,
                num_faces=MAX_FACES,
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
        return [_to_pixels(face, image.shape) for face in result.face_landmarks]

    def close(self) -> None:
        """See `Tracker.close`."""
        self._task.close()


class MirroredTracker:
    """Two trackers, the second before the mirrored picture, at work at the same time; faces are the means of both.

    What a tracker adds to one view it seldom adds to the other (docs/decisions/017-mirrored.md). A face that only one
    of them finds is none.
    """

    count = VERTEX_COUNT

    def __init__(self, direct: Tracker, mirrored: Tracker) -> None:
        self._direct, self._mirrored = direct, mirrored
        self._thread = ThreadPoolExecutor(max_workers=1)

    def faces(self, image: np.ndarray, time: float) -> list[np.ndarray]:
        """See `Tracker.faces`."""
        pending = self._thread.submit(self._mirrored.faces, np.ascontiguousarray(image[:, ::-1]), time)
        faces = self._direct.faces(image, time)
        return mean_faces(faces, [mirror_face(face, image.shape[1]) for face in pending.result()])

    def close(self) -> None:
        """See `Tracker.close`."""
        self._thread.shutdown()
        self._direct.close()
        self._mirrored.close()


def open_tracker(model: Path | None = None) -> Tracker:
    """FaceMesh, or the task API where the user gives a `.task` file; with a second one for the mirrored picture."""
    return MirroredTracker(*(FaceMeshTracker() if model is None else TaskTracker(model) for _ in range(2)))


def mirror_face(face: np.ndarray, width: int) -> np.ndarray:
    """Landmarks (468, 3) in a picture `width` pixels wide of landmarks (468+, 3) in its mirror image."""
    mirrored = face[MIRROR]
    mirrored[:, 0] = width - mirrored[:, 0]
    return mirrored


def mean_faces(faces: Sequence[np.ndarray], others: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The means (468, 3) of each of `faces` and the nearest of `others`, where that is the same face."""
    means = []
    for face in faces:
        distances = [float(np.linalg.norm(face_centre(face) - face_centre(other))) for other in others]
        if distances and min(distances) < SAME * face_width(face):
            means.append((face[:VERTEX_COUNT] + others[int(np.argmin(distances))]) / 2)
    return means


def face_centre(face: np.ndarray) -> np.ndarray:
    """The middle (2,) of landmarks (468+, 3) in the picture, pixels."""
    return face[:VERTEX_COUNT, :2].mean(axis=0)


def face_width(face: np.ndarray) -> float:
    """How far landmarks (468+, 3) reach across the picture, pixels."""
    return float(np.ptp(face[:VERTEX_COUNT, 0]))


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
