"""Split vertex offsets into few principal components, the shapes and curves of the shape keys; needs no Blender."""

from dataclasses import dataclass

import numpy as np

TOLERANCE = 1e-4  # interocular units a vertex may be off; about 0.006 mm on a face
LIMIT = 128  # most components that move; a network's output has rank 32 or less, tracked faces carry noise of full rank
FIRST_GUESS = 40  # components looked for first: covers the networks' rank in one pass
OVERSAMPLING = 8  # extra random directions, Halko et al. 2011, section 4.2
SAMPLE = 500  # frames whose directions are tried first; they span what a network can say
BLOCK = 256  # frames whose errors are computed at once: they stay in the processor's cache


@dataclass(frozen=True)
class Components:
    """Offsets as sum over k of weights[t, k] * shapes[k]."""

    shapes: np.ndarray
    """(K, vertices, 3) float32, interocular units: the offset at weight 1. The first is what the others start from."""
    weights: np.ndarray
    """(T, K) float32 in 0..1: 1 throughout in the first column, from 0 to 1 in each of the others."""
    error: float
    """Largest distance of any vertex in any frame from where it should be, interocular units."""


def find_components(offsets: np.ndarray, tolerance: float = TOLERANCE, limit: int = LIMIT) -> Components:
    """Find as few moving components as keep every vertex within `tolerance`, at most `limit`.

    `offsets` is (T, vertices, 3) in interocular units. Where `limit` components do not reach the tolerance, `error`
    says what they reach. The reference stays the basis: no mean is taken off, so all weights 0 is the neutral face.
    """
    # Single precision: its rounding, 1e-7, is a thousandth of the tolerance.
    flat = np.ascontiguousarray(offsets, dtype=np.float32).reshape(len(offsets), -1)
    directions, weights = _leading_directions(flat, tolerance, limit)
    count, error = _fewest(flat, weights, directions, tolerance)
    weights, directions = weights[:, :count], directions[:count]
    directions, weights = _from_zero_to_one(directions, weights)
    return Components(directions.reshape(-1, *offsets.shape[1:]), weights, error)


def _from_zero_to_one(directions: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same sums with weights in 0..1, outside of which importers and game engines clamp them.

    What all frames have in common, every direction at its lowest weight, comes first with weight 1.
    """
    lowest = weights.min(axis=0)
    weights = weights - lowest
    highest = weights.max(axis=0)
    moving = highest > 0
    shapes = np.concatenate([lowest[None] @ directions, directions[moving] * highest[moving, None]])
    return shapes, np.pad(weights[:, moving] / highest[moving], ((0, 0), (1, 0)), constant_values=1)


def _leading_directions(flat: np.ndarray, tolerance: float, limit: int) -> tuple[np.ndarray, np.ndarray]:
    """(K, coordinates) orthonormal rows, strongest first, enough for the tolerance or `limit`; their (T, K) weights."""
    most = min(limit, *flat.shape)
    count = min(FIRST_GUESS, most)
    looked_at = flat[:: max(1, len(flat) // SAMPLE)]
    while True:
        directions, weights = _principal_axes(flat, _randomised_directions(looked_at, min(count, len(looked_at))))
        if _within(flat, weights, directions, tolerance):
            return directions, weights
        if len(looked_at) == len(flat):
            if count == most:
                return directions, weights
            count = min(2 * count, most)
        looked_at = flat


def _randomised_directions(flat: np.ndarray, count: int) -> np.ndarray:
    """Right singular vectors by random projection and two power steps: Halko et al., doi:10.1137/090771806, 4.3-5.1.

    For 1,500 frames of rank 32 this takes a hundredth of the time of the full decomposition.
    """
    width = min(count + OVERSAMPLING, *flat.shape)
    random = np.random.default_rng(0).standard_normal((flat.shape[1], width)).astype(np.float32)
    span = np.linalg.qr(flat @ random)[0]
    for _ in range(2):
        span = np.linalg.qr(flat @ np.linalg.qr(flat.T @ span)[0])[0]
    return np.linalg.svd(span.T @ flat, full_matrices=False)[2][:count]


def _principal_axes(flat: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn orthonormal directions within their span into the principal axes of all frames; with the weights on them."""
    weights = flat @ directions.T
    turn = np.linalg.eigh(weights.T.astype(np.float64) @ weights)[1][:, ::-1].astype(np.float32)
    directions = turn.T @ directions
    # A component and its negative are equal; fix the sign so that equal input bakes equal keys.
    strongest = np.abs(directions).argmax(axis=1)
    signs = np.where(directions[np.arange(len(directions)), strongest] < 0, np.float32(-1), np.float32(1))
    return directions * signs[:, None], (weights @ turn) * signs


def _fewest(flat: np.ndarray, weights: np.ndarray, directions: np.ndarray, tolerance: float) -> tuple[int, float]:
    """(how many of the directions suffice, the error they leave), by bisection."""
    low, high = 1, len(directions)
    while low < high:
        middle = (low + high) // 2
        if _within(flat, weights[:, :middle], directions[:middle], tolerance):
            high = middle
        else:
            low = middle + 1
    every = np.arange(len(flat))
    return low, _largest_error(flat, weights[:, :low], directions[:low], every)


def _within(flat: np.ndarray, weights: np.ndarray, directions: np.ndarray, tolerance: float) -> bool:
    """Whether every frame is; a few frames all over the line usually tell when not."""
    few = np.arange(0, len(flat), max(1, len(flat) // BLOCK))
    every = np.arange(len(flat))
    return all(_largest_error(flat, weights, directions, frames) <= tolerance for frames in (few, every))


def _largest_error(flat: np.ndarray, weights: np.ndarray, directions: np.ndarray, frames: np.ndarray) -> float:
    largest = 0.0
    for start in range(0, len(frames), BLOCK):
        block = frames[start : start + BLOCK]
        squares = flat[block] - weights[block] @ directions
        squares *= squares
        largest = max(largest, float((squares[:, 0::3] + squares[:, 1::3] + squares[:, 2::3]).max()))
    return largest**0.5
