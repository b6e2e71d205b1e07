"""Split vertex offsets into few principal components, the shapes and curves of the shape keys; needs no Blender."""

from dataclasses import dataclass

import numpy as np

TOLERANCE = 1e-4  # interocular units a vertex may be off; about 0.006 mm on a face
LIMIT = 128  # most components; a network's output has rank 32 or less, tracked faces carry noise of full rank
FIRST_GUESS = 40  # components looked for first: covers the networks' rank in one pass
OVERSAMPLING = 8  # extra random directions, Halko et al. 2011, section 4.2


@dataclass(frozen=True)
class Components:
    """Offsets as sum over k of weights[t, k] * shapes[k]."""

    shapes: np.ndarray
    """(K, vertices, 3) float32, interocular units: the offset at weight 1."""
    weights: np.ndarray
    """(T, K) float32; each column's largest magnitude is 1, or 0 where nothing moves."""
    error: float
    """Largest distance of any vertex in any frame from where it should be, interocular units."""


def find_components(offsets: np.ndarray, tolerance: float = TOLERANCE, limit: int = LIMIT) -> Components:
    """Find as few components as keep every vertex within `tolerance`, at most `limit`, at least one.

    `offsets` is (T, vertices, 3) in interocular units. Where `limit` components do not reach the tolerance, `error`
    says what they reach. The reference stays the basis: no mean is taken off, so all weights 0 is the neutral face.
    """
    flat = np.asarray(offsets, dtype=np.float64).reshape(len(offsets), -1)
    directions = _leading_directions(flat, tolerance, limit)
    weights = flat @ directions.T
    count, error = _fewest(flat, weights, directions, tolerance)
    weights, directions = weights[:, :count], directions[:count]
    peak = np.abs(weights).max(axis=0)
    shapes = (directions * peak[:, None]).reshape(count, *offsets.shape[1:])
    curves = weights / np.where(peak == 0, 1, peak)
    return Components(shapes.astype(np.float32), curves.astype(np.float32), error)


def _leading_directions(flat: np.ndarray, tolerance: float, limit: int) -> np.ndarray:
    """(K, coordinates) orthonormal rows, strongest first: enough for the tolerance, or `limit` of them."""
    most = min(limit, *flat.shape)
    count = min(FIRST_GUESS, most)
    while True:
        directions = _randomised_directions(flat, count)
        if count == most or _largest_error(flat, flat @ directions.T, directions) <= tolerance:
            return directions
        count = min(2 * count, most)


def _randomised_directions(flat: np.ndarray, count: int) -> np.ndarray:
    """Right singular vectors by random projection and two power steps: Halko et al., doi:10.1137/090771806, 4.3-5.1.

    For 1,500 frames of rank 32 this takes a hundredth of the time of the full decomposition.
    """
    width = min(count + OVERSAMPLING, *flat.shape)
    random = np.random.default_rng(0).standard_normal((flat.shape[1], width))
    span = np.linalg.qr(flat @ random)[0]
    for _ in range(2):
        span = np.linalg.qr(flat @ np.linalg.qr(flat.T @ span)[0])[0]
    directions = np.linalg.svd(span.T @ flat, full_matrices=False)[2][:count]
    # A component and its negative are equal; fix the sign so that equal input bakes equal keys.
    strongest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[np.arange(len(directions)), strongest])
    return directions * np.where(signs == 0, 1, signs)[:, None]


def _fewest(flat: np.ndarray, weights: np.ndarray, directions: np.ndarray, tolerance: float) -> tuple[int, float]:
    """(how many of the directions suffice, the error they leave), by bisection."""
    low, high = 1, len(directions)
    error = _largest_error(flat, weights, directions)
    while low < high:
        middle = (low + high) // 2
        trial = _largest_error(flat, weights[:, :middle], directions[:middle])
        if trial <= tolerance:
            high, error = middle, trial
        else:
            low = middle + 1
    return low, error


def _largest_error(flat: np.ndarray, weights: np.ndarray, directions: np.ndarray) -> float:
    squares = (flat - weights @ directions) ** 2
    return float(np.sqrt((squares[:, 0::3] + squares[:, 1::3] + squares[:, 2::3]).max()))
