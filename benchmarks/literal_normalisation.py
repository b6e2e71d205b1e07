"""Atlas and lighting as the paper writes them down: one warp a triangle, one patch a pixel.

What the benchmark compares with; nothing else uses it.
"""

import numpy as np

from backend.normalisation.lighting import LUMINANCE
from backend.normalisation.specularity import remove_specularity, specular_alpha
from shape_keys.topology import TRIANGLES

PATCH = 16
"""Pixels a side (LipSync3D section 3.1.2)."""
TEMPERATURE = 0.1
"""Of equation 2, errors summed over the patch."""
ITERATIONS = 6
"""As many as ours."""


def unwrap_by_triangles(image: np.ndarray, landmarks: np.ndarray, uv: np.ndarray, size: int = 256) -> np.ndarray:
    """The atlas (size, size, 3) uint8 of a frame (H, W, 3) uint8, warped triangle by triangle (section 3.1.1)."""
    import cv2

    atlas = np.zeros((size, size, 3), np.uint8)
    places = np.float32([0, size]) + np.float32(uv) * np.float32([size, -size])
    for triangle in TRIANGLES:
        source, target = np.float32(landmarks[triangle, :2]), places[triangle]
        low, high = np.floor(target.min(0)).astype(int), np.ceil(target.max(0)).astype(int)
        low, high = np.maximum(low, 0), np.minimum(high, size)
        width, height = np.maximum(high - low, 1)
        first = np.maximum(np.floor(source.min(0)).astype(int) - 1, 0)
        last = np.ceil(source.max(0)).astype(int) + 2
        part = image[first[1] : last[1], first[0] : last[0]]
        matrix = cv2.getAffineTransform(source - np.float32(first), target - np.float32(low))
        piece = cv2.warpAffine(
            part, matrix, (int(width), int(height)), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        mask = np.zeros((height, width), np.uint8)
        cv2.fillConvexPoly(mask, np.round(target - low).astype(np.int32), (1,))
        where = atlas[low[1] : low[1] + height, low[0] : low[0] + width]
        where[mask > 0] = piece[mask > 0]
    return atlas


def normalise_by_patches(reference: np.ndarray, frame: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """Equations 1 to 3 for an atlas (256, 256, 3) float32, 0..1: sums over the patch of every pixel, in turn."""
    clean = remove_specularity(frame, specular_alpha(frame, skin))
    gain, weights = gain_by_patches(reference @ LUMINANCE, clean @ LUMINANCE, skin)
    lit = clean * gain[..., None]
    return np.stack([_fit_channel(reference[..., c], lit[..., c], weights) for c in range(3)], axis=2)


def gain_by_patches(reference: np.ndarray, frame: np.ndarray, skin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gain and weights (H, W) of equations 1 and 2."""
    height, width = frame.shape
    weights, gain = skin.astype(np.float64), np.ones_like(frame)
    for _ in range(ITERATIONS):
        updated = weights.copy()
        for y in range(height):
            for x in range(width):
                patch = np.s_[max(y - PATCH // 2, 0) : y + PATCH // 2, max(x - PATCH // 2, 0) : x + PATCH // 2]
                w, r, f = weights[patch], reference[patch], frame[patch]
                gain[y, x] = (w * r * f).sum() / max((w * f * f).sum(), 1e-6)
                error = (w * (r - gain[y, x] * f) ** 2).sum()
                updated[y, x] = 0.5 * (weights[y, x] + skin[y, x] * np.exp(-error / TEMPERATURE))
        weights = updated
    return gain, weights


def _fit_channel(reference: np.ndarray, frame: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The channel after its gain and bias, by weighted least squares."""
    used = weights > 0
    root = np.sqrt(weights[used])
    matrix = np.stack([frame[used] * root, root], axis=1)
    gain, bias = np.linalg.lstsq(matrix, reference[used] * root, rcond=None)[0]
    return gain * frame + bias
