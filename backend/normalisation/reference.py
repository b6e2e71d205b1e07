"""The reference frame: which frame of a speaker stands for the neutral face, and its vertices."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.errors import InputError
from backend.normalisation.pose import apply, fit_similarity, yaw_pitch_roll
from shape_keys.topology import (
    CANONICAL_FACE,
    LEFT_EYE_OUTER,
    LOWER_INNER_LIP,
    MIRROR,
    RIGHT_EYE_OUTER,
    RIGID,
    RIGID_WEIGHTS,
    UPPER_INNER_LIP,
    VERTEX_COUNT,
)

INTEROCULAR_MM = 90.0
"""Distance of an adult's outer eye corners: turns interocular units into millimetres."""

LIDS = ((159, 145), (386, 374))
"""Upper and lower lid of the subject's right and left eye (MediaPipe face mesh)."""

NEIGHBOURS = 40
"""Frames averaged into the reference vertices: the tracker's jitter falls to a sixth."""

SHARPNESS_SIZE = 96
"""Pixels a side to which a face is resampled before its sharpness is measured."""


@dataclass(frozen=True)
class FrameQuality:
    """What is measured of a frame's picture while it is in memory."""

    sharpness: float
    """Variance of the Laplacian of the face, relative to the variance of its brightness."""
    asymmetry: float
    """Mean difference of brightness between mirrored landmarks, relative to their mean brightness."""
    brightness: float
    """Mean brightness of the face, 0..1."""


def measure_quality(image: np.ndarray, landmarks: np.ndarray) -> FrameQuality:
    """Measure the face in (H, W, 3) uint8 RGB with landmarks (468+, 3) in pixels."""
    import cv2

    height, width = image.shape[:2]
    points = landmarks[:VERTEX_COUNT, :2]
    low = np.clip(np.floor(points.min(axis=0)).astype(int), 0, [width - 2, height - 2])
    high = np.clip(np.ceil(points.max(axis=0)).astype(int), low + 2, [width, height])
    face = np.ascontiguousarray(image[low[1] : high[1], low[0] : high[0]])
    # Blur hides in a large face; at one size for all, small and large faces are judged alike.
    small = cv2.resize(face, (SHARPNESS_SIZE, SHARPNESS_SIZE), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    sharpness = float(cv2.Laplacian(grey, cv2.CV_32F).var() / max(float(grey.var()), 1.0))
    cells = ((points - low) / (high - low) * SHARPNESS_SIZE).astype(int).clip(0, SHARPNESS_SIZE - 1)
    at = cv2.blur(grey, (5, 5))[cells[:, 1], cells[:, 0]]
    asymmetry = float(np.abs(at - at[MIRROR]).mean() / max(float(at.mean()), 1.0))
    return FrameQuality(sharpness, asymmetry, float(grey.mean() / 255))


def lip_ratio(vertices: np.ndarray) -> np.ndarray:
    """Distance (...,) of the inner lips at the midline over the interocular distance; vertices (..., 468+, 3)."""
    gap = np.linalg.norm(vertices[..., UPPER_INNER_LIP, :] - vertices[..., LOWER_INNER_LIP, :], axis=-1)
    eyes = np.linalg.norm(vertices[..., RIGHT_EYE_OUTER, :] - vertices[..., LEFT_EYE_OUTER, :], axis=-1)
    return gap / np.maximum(eyes, 1e-9)


def lid_gap(vertices: np.ndarray) -> np.ndarray:
    """Mean opening (...,) of both eyes over the interocular distance; vertices (..., 468+, 3)."""
    upper, lower = (vertices[..., [pair[i] for pair in LIDS], :] for i in (0, 1))
    eyes = np.linalg.norm(vertices[..., RIGHT_EYE_OUTER, :] - vertices[..., LEFT_EYE_OUTER, :], axis=-1)
    return np.linalg.norm(upper - lower, axis=-1).mean(axis=-1) / np.maximum(eyes, 1e-9)


def rough_poses(landmarks: np.ndarray) -> np.ndarray:
    """Similarities (T, 3, 4) of landmarks (T, 468+, 3) in pixels onto MediaPipe's canonical face; NaN at gaps."""
    return fit_similarity(landmarks[:, RIGID], CANONICAL_FACE[RIGID], RIGID_WEIGHTS)


def score_frames(landmarks: np.ndarray, poses: np.ndarray, qualities: Sequence[FrameQuality]) -> np.ndarray:
    """How far each frame is from a good reference, (T,), lower is better; inf at gaps.

    Adds up, each against its spread over the video: turn from frontal, mouth opening, closed eyes, blur and
    one-sided light.
    """
    found = np.isfinite(landmarks).all(axis=(1, 2))
    measured = np.array([(q.sharpness, q.asymmetry) for q in qualities])
    angles = np.abs(yaw_pitch_roll(poses))
    turn = np.hypot(angles[:, 0], angles[:, 1]) / 5.0
    mouth = lip_ratio(landmarks) / 0.02
    eyes = np.maximum(0.0, np.nanmedian(lid_gap(landmarks)) - lid_gap(landmarks)) / 0.01
    blur = _spread(-measured[:, 0], found)
    light = _spread(measured[:, 1], found)
    return np.where(found, turn + mouth + eyes + blur + light, np.inf)


def _spread(values: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Values less their best, over their median absolute deviation, no more than 5."""
    kept = values[found]
    spread = np.median(np.abs(kept - np.median(kept))) if kept.size else 1.0
    return np.minimum((values - (kept.min() if kept.size else 0.0)) / max(float(spread), 1e-9), 5.0) / 2


def choose_reference(scores: np.ndarray) -> int:
    """The frame of the lowest score; raises `InputError` where no frame has a face."""
    if not np.isfinite(scores).any():
        raise InputError("No face was found in any frame; a video of one clearly visible speaking face is expected.")
    return int(np.argmin(scores))


def reference_vertices(landmarks: np.ndarray, scores: np.ndarray, chosen: int) -> np.ndarray:
    """Upright, jitter-free vertices (468, 3) float64 of the chosen frame, in the canonical face's pose and size.

    Averages the frames that resemble the chosen one most, since a single frame's landmarks jitter and every pose
    and offset would inherit that; frames of poor score are left out.
    """
    mesh = landmarks[:, :VERTEX_COUNT].astype(np.float64)
    target = apply(rough_poses(mesh[chosen : chosen + 1])[0], mesh[chosen])
    pool = np.flatnonzero(scores <= np.quantile(scores[np.isfinite(scores)], 0.5) + 1e-9)
    aligned = apply(fit_similarity(mesh[pool][:, RIGID], target[RIGID], RIGID_WEIGHTS), mesh[pool])
    distance = np.linalg.norm(aligned - target, axis=2).mean(axis=1)
    nearest = np.argsort(distance)[:NEIGHBOURS]
    return np.median(aligned[nearest], axis=0)
