"""MediaPipe face landmarks of single pictures and their mean over a video, for the deriving scripts only."""

from pathlib import Path

import numpy as np

from shape_keys.derive.mesh import apply_similarity, similarity


def picture_landmarks(picture: np.ndarray) -> np.ndarray | None:
    """Landmarks of the face in a (H, W, 3) uint8 RGB picture: (468, 3) float64 px, x right, y down, z away; or None."""
    return _landmarks([picture])[0]


def mean_landmarks(video: Path, step: int = 8, count: int = 50) -> np.ndarray:
    """Mean face of a video: landmarks of every `step`-th frame, aligned to one another by similarity and averaged.

    Returns:
        (468, 3) float64, px of the first frame, x right, y UP, z towards the viewer.
    """
    import cv2

    capture, pictures = cv2.VideoCapture(str(video)), []
    for index in range(step * count):
        found, picture = capture.read()
        if found and index % step == 0:
            pictures.append(picture[:, :, ::-1])
    faces = np.array([face for face in _landmarks(pictures) if face is not None]) * [1, -1, -1]
    mean = faces[0]
    for _ in range(5):
        mean = np.mean([apply_similarity(similarity(face, mean), face) for face in faces], axis=0)
    return mean


def _landmarks(pictures: list[np.ndarray]) -> list[np.ndarray | None]:
    from mediapipe.python.solutions import face_mesh

    faces = []
    with face_mesh.FaceMesh(static_image_mode=True, refine_landmarks=True) as mesh:
        for picture in pictures:
            height, width = picture.shape[:2]
            found = getattr(mesh.process(np.ascontiguousarray(picture)), "multi_face_landmarks")  # noqa: B009 - untyped result
            points = found and [(p.x * width, p.y * height, p.z * width) for p in found[0].landmark[:468]]
            faces.append(np.array(points) if points else None)
    return faces
