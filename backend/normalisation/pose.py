"""Head pose: the similarity that lays a tracked face on reference vertices."""

import numpy as np

ITERATIONS = 6
"""Rounds of reweighting; the weights settle in four on talking-head footage."""

OUTLIER_SCALE = 2.5
"""Residuals above this many median residuals lose weight (Geman-McClure)."""


def fit_similarity(
    source: np.ndarray, target: np.ndarray, weights: np.ndarray, robust: bool = True, scaled: bool = True
) -> np.ndarray:
    """Similarities (scale, rotation, translation) that move source points onto target points.

    Weighted least squares in closed form (Umeyama 1991, doi:10.1109/34.88573; LipSync3D §3.1.1), reweighted so
    that a few points that do not move rigidly count less. All frames at once.

    source: (T, N, 3). target: (N, 3) or (T, N, 3). weights: (N,) non-negative. Returns (T, 3, 4) float64 with
    target ~ matrix @ [source, 1]. Frames holding NaN give NaN.
    """
    source = np.asarray(source, np.float64)
    target = np.broadcast_to(np.asarray(target, np.float64), source.shape)
    base = np.broadcast_to(np.asarray(weights, np.float64), source.shape[:2])
    good = np.isfinite(source).all(axis=(1, 2)) & np.isfinite(target).all(axis=(1, 2))
    result = np.full((len(source), 3, 4), np.nan)
    if good.any():
        result[good] = _reweighted(source[good], target[good], base[good], robust, scaled)
    return result


def _reweighted(source: np.ndarray, target: np.ndarray, base: np.ndarray, robust: bool, scaled: bool) -> np.ndarray:
    weights = base
    matrix = _umeyama(source, target, weights, scaled)
    for _ in range(ITERATIONS if robust else 0):
        residual = np.linalg.norm(apply(matrix, source) - target, axis=2)
        # Points of no weight must not set the scale by which the others are judged.
        scale = OUTLIER_SCALE * np.nanmedian(np.where(base > 0, residual, np.nan), axis=1, keepdims=True)
        weights = base / (1.0 + (residual / np.maximum(scale, 1e-12)) ** 2) ** 2
        matrix = _umeyama(source, target, weights, scaled)
    return matrix


def _umeyama(source: np.ndarray, target: np.ndarray, weights: np.ndarray, scaled: bool) -> np.ndarray:
    """Weighted similarity (T, 3, 4) of (T, N, 3) points; equation numbers are Umeyama's."""
    w = (weights / weights.sum(axis=1, keepdims=True))[:, :, None]
    source_mean, target_mean = (w * source).sum(axis=1), (w * target).sum(axis=1)
    s, t = source - source_mean[:, None], target - target_mean[:, None]
    u, d, vt = np.linalg.svd(np.einsum("tni,tnj->tij", w * t, s))  # eq. 38
    sign = np.ones_like(d)
    sign[:, 2] = np.sign(np.linalg.det(u) * np.linalg.det(vt))  # eq. 39: never a reflection
    rotation = (u * sign[:, None]) @ vt  # eq. 40
    scale = (d * sign).sum(axis=1) / (w * s**2).sum(axis=(1, 2)) if scaled else np.ones(len(d))  # eq. 42
    linear = scale[:, None, None] * rotation
    offset = target_mean - np.einsum("tij,tj->ti", linear, source_mean)  # eq. 41
    return np.concatenate([linear, offset[:, :, None]], axis=2)


def apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Move points (T, N, 3) or (N, 3) by similarities (T, 3, 4) or (3, 4); keeps the points' float type."""
    moved = points @ np.swapaxes(matrix[..., :3], -1, -2) + matrix[..., None, :, 3]
    return moved.astype(np.result_type(points, np.float32), copy=False)


def invert(matrix: np.ndarray) -> np.ndarray:
    """The inverses (..., 3, 4) of similarities (..., 3, 4): from head space back to the frame."""
    scale = scale_of(matrix)[..., None, None]
    linear = np.swapaxes(matrix[..., :3], -1, -2) / scale**2
    offset = -np.einsum("...ij,...j->...i", linear, matrix[..., 3])
    return np.concatenate([linear, offset[..., None]], axis=-1)


def scale_of(matrix: np.ndarray) -> np.ndarray:
    """The scale factors (...,) of similarities (..., 3, 4)."""
    with np.errstate(invalid="ignore"):  # frames without a pose are NaN and stay so
        return np.cbrt(np.linalg.det(matrix[..., :3]))


def rotation_of(matrix: np.ndarray) -> np.ndarray:
    """The rotations (..., 3, 3) of similarities (..., 3, 4)."""
    return matrix[..., :3] / scale_of(matrix)[..., None, None]


def yaw_pitch_roll(matrix: np.ndarray) -> np.ndarray:
    """Head angles (..., 3) in degrees from frame-to-head similarities (..., 3, 4).

    The frame's axes are x right, y down, z away; a head that faces the camera upright reads 0, 0, 0. Yaw is
    positive towards the viewer's right, pitch upwards, roll anti-clockwise as seen.
    """
    # The rows of the frame-to-head rotation are the head's axes in the frame.
    axes = rotation_of(matrix) * np.array([1.0, -1.0, -1.0])
    forward, right = axes[..., 2, :], axes[..., 0, :]
    yaw = np.arctan2(forward[..., 0], forward[..., 2])
    pitch = np.arcsin(np.clip(forward[..., 1], -1, 1))
    roll = np.arctan2(right[..., 1], right[..., 0])
    return np.degrees(np.stack([yaw, pitch, roll], axis=-1))
