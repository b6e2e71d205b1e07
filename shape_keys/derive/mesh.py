"""Small mesh arithmetic that the deriving scripts share: OBJ reading and similarity transforms."""

from pathlib import Path

import numpy as np


def read_obj(path: Path) -> tuple[np.ndarray, np.ndarray, list[list[int]]]:
    """Read positions, texture coordinates and faces of a Wavefront OBJ file.

    Returns:
        positions (V, 3) float64, texture coordinates (U, 2) float64 (u right, v up), faces as lists of position
        indices from 0 (polygons keep their length).
    """
    positions, texture, faces = [], [], []
    for line in Path(path).read_text().splitlines():
        kind, *fields = line.split() or ["#"]
        if kind == "v":
            positions.append([float(x) for x in fields[:3]])
        elif kind == "vt":
            texture.append([float(x) for x in fields[:2]])
        elif kind == "f":
            faces.append([int(field.split("/")[0]) - 1 for field in fields])
    return np.array(positions), np.array(texture), faces


def similarity(
    source: np.ndarray, target: np.ndarray, weights: np.ndarray | None = None
) -> tuple[float, np.ndarray, np.ndarray]:
    """Least-squares similarity from source to target points (Umeyama 1991, doi:10.1109/34.88573).

    Args:
        source, target: (N, 3), any unit.
        weights: (N,) not negative; equal where not given.

    Returns:
        scale, rotation (3, 3) with determinant +1, translation (3,); target = scale * rotation @ source + translation.
    """
    w = np.ones(len(source)) if weights is None else np.asarray(weights, float)
    w = (w / w.sum())[:, None]
    source_mean, target_mean = (w * source).sum(0), (w * target).sum(0)
    a, b = source - source_mean, target - target_mean
    u, s, vt = np.linalg.svd((w * b).T @ a)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = u @ (sign[:, None] * vt)
    scale = float((s * sign).sum() / (w * a**2).sum())
    return scale, rotation, target_mean - scale * rotation @ source_mean


def apply_similarity(transform: tuple[float, np.ndarray, np.ndarray], points: np.ndarray) -> np.ndarray:
    """Apply the result of `similarity` to points (..., 3)."""
    scale, rotation, translation = transform
    return scale * points @ rotation.T + translation
