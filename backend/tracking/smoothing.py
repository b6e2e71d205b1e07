"""Temporal smoothing of tracked vertices that leaves the closures of the lips as they are."""

import numpy as np

from backend.runs import find_runs
from shape_keys.topology import LIPS, LOWER_INNER_LIP, UPPER_INNER_LIP

REACH = 2.5
"""Standard deviations at which the Gaussian window ends."""

CLOSED, OPEN = 0.10, 0.30
"""Lip gaps, as shares of the 95th percentile, up to which the lips are kept as tracked, and from which they are
smoothed in full. The first is the definition of a closure in the figures of this project."""

WIDE_GAP = 95.0
"""Percentile of the lip gap that stands for an open mouth."""

COLUMNS = 128
"""Coordinates smoothed at a time, so that a long video needs no second copy of its vertices."""


def smooth_vertices(vertices: np.ndarray, times: np.ndarray, seconds: float) -> np.ndarray:
    """Vertices (T, 468, 3) float32, pose removed, NaN at gaps, with less jitter; times (T,) float64.

    Each coordinate becomes the value of a parabola fitted to it by least squares in a Gaussian window of standard
    deviation `seconds` (Savitzky and Golay 1964, with real time stamps), which keeps the height of short peaks; no
    window crosses a gap. Even so a closure of one or two frames would be lifted: where the lips are closed, lip
    vertices stay exactly as tracked, and in between the two are mixed.
    """
    if seconds <= 0 or len(vertices) == 0:
        return vertices
    found = np.isfinite(vertices[:, 0, 0])
    kept = _kept_share(vertices)
    result = vertices.reshape(len(vertices), -1).copy()
    for start, end in find_runs(found):
        matrix = _smoother(times[start:end], seconds)
        for first in range(0, result.shape[1], COLUMNS):
            block = result[start:end, first : first + COLUMNS]
            block[:] = matrix @ block
    result = result.reshape(vertices.shape)
    lips = vertices[:, LIPS]
    result[:, LIPS] += kept[:, None, None] * (lips - result[:, LIPS])
    return result


def _kept_share(vertices: np.ndarray) -> np.ndarray:
    """How far the lips of each frame stay as tracked, (T,) float32: 1 where closed, 0 where open."""
    gap = np.linalg.norm(vertices[:, UPPER_INNER_LIP] - vertices[:, LOWER_INNER_LIP], axis=1)
    if not np.isfinite(gap).any():
        return np.zeros(len(gap), np.float32)
    wide = max(float(np.nanpercentile(gap, WIDE_GAP)), 1e-9)
    return np.clip((OPEN - gap / wide) / (OPEN - CLOSED), 0.0, 1.0).astype(np.float32)


def _smoother(times: np.ndarray, seconds: float):
    """Sparse (n, n) float32 matrix: the value at each time of the parabola fitted around it."""
    from scipy.sparse import coo_matrix

    count = len(times)
    low = np.searchsorted(times, times - REACH * seconds)
    high = np.searchsorted(times, times + REACH * seconds, side="right")
    row = np.repeat(np.arange(count), high - low)
    column = np.arange(len(row)) - np.repeat(np.cumsum(high - low) - (high - low), high - low) + low[row]
    offset = (times[column] - times[row]) / seconds
    weight = np.exp(-0.5 * offset**2)
    powers = np.stack([np.ones_like(offset), offset, offset**2], axis=1)
    normal = np.zeros((count, 3, 3))
    np.add.at(normal, row, weight[:, None, None] * powers[:, :, None] * powers[:, None])
    # Runs of one or two frames determine no parabola; the tiny ridge then leaves them nearly as they are.
    level = np.broadcast_to(np.array([[1.0], [0.0], [0.0]]), (count, 3, 1))
    solved = np.linalg.solve(normal + 1e-9 * np.diag([0.0, 1.0, 1.0]), level)[..., 0]
    values = weight * np.einsum("pi,pi->p", powers, solved[row])
    return coo_matrix((values.astype(np.float32), (row, column)), shape=(count, count)).tocsr()
