"""Temporal smoothing of tracked vertices that leaves the closures of the lips as they are."""

from collections.abc import Iterator

import numpy as np

from backend.runs import find_runs
from shape_keys.topology import (
    FLIP,
    INNER_LIP_LOWER,
    INNER_LIP_UPPER,
    LEFT_MOUTH_CORNER,
    LIPS,
    LOWER_INNER_LIP,
    MIRROR,
    RIGHT_MOUTH_CORNER,
    UPPER_INNER_LIP,
)

REACH = 2.5
"""Standard deviations at which the Gaussian window ends."""

CLOSED, OPEN = 0.10, 0.30
"""Lip gaps, as shares of the 95th percentile, up to which the lips are kept as tracked, and from which they are
smoothed in full. The first is the definition of a closure in the figures of this project."""

WIDE_GAP = 95.0
"""Percentile of the lip gap that stands for an open mouth."""

HALVES_SECONDS = 0.5
"""Standard deviation of the window for what one half of the face does otherwise than the other: speech moves both
alike, a tracker's errors do not (docs/decisions/020-halves.md)."""

DOUBT = 25.0
"""Frames of both halves opening alike that a mouth which opens crookedly is asked to outweigh."""

COLUMNS = 128
"""Coordinates smoothed at a time, so that a long video needs no further copy of its vertices for it."""


def smooth_vertices(vertices: np.ndarray, times: np.ndarray, seconds: float) -> np.ndarray:
    """Vertices (T, 468, 3) float32, pose removed, NaN at gaps, with less jitter; times (T,) float64.

    Each coordinate becomes the value of a parabola fitted to it by least squares in a Gaussian window of standard
    deviation `seconds` (Savitzky and Golay 1964, with real time stamps), which keeps the height of short peaks; no
    window crosses a gap. Even so a closure of one or two frames would be lifted: where the lips are closed, lip
    vertices stay as tracked, and in between the two are mixed.

    What the halves of the face do differently is steadied over `HALVES_SECONDS` instead, but for what goes with the
    mouth's opening and width: a crooked mouth opens crookedly. Inner lips that touch still touch.
    """
    if seconds <= 0 or len(vertices) == 0:
        return vertices
    apart = _halves_apart(vertices)
    alike = vertices - apart
    lips, kept, mouth = alike[:, LIPS], _kept_share(vertices), _mouth_shape(alike)
    for start, end in find_runs(np.isfinite(vertices[:, 0, 0])):
        run = slice(start, end)
        fitted, slow = _smoother(times[run], seconds), _smoother(times[run], HALVES_SECONDS, degree=0)
        quick = mouth[run] - slow @ mouth[run]
        for rows in _columns(alike[run]):
            rows[:] = fitted @ rows
        for rows in _columns(apart[run]):
            steady = slow @ rows
            rows[:] = steady + quick @ _slopes(quick, rows - steady)
    alike[:, LIPS] += kept[:, None, None] * (lips - alike[:, LIPS])
    alike += apart
    return alike


def _halves_apart(vertices: np.ndarray) -> np.ndarray:
    """(T, 468, 3): how far each vertex is from where both halves of the face, alike, would have it."""
    apart = (vertices - vertices[:, MIRROR] * FLIP) / 2
    apart[:, INNER_LIP_UPPER] = apart[:, INNER_LIP_LOWER] = (apart[:, INNER_LIP_UPPER] + apart[:, INNER_LIP_LOWER]) / 2
    return apart


def _mouth_shape(vertices: np.ndarray) -> np.ndarray:
    """(T, 2): the mouth's opening and its width."""
    ends = vertices[:, [UPPER_INNER_LIP, RIGHT_MOUTH_CORNER]] - vertices[:, [LOWER_INNER_LIP, LEFT_MOUTH_CORNER]]
    return np.linalg.norm(ends, axis=2)


def _slopes(causes: np.ndarray, effects: np.ndarray) -> np.ndarray:
    """(2, N) of effects (n, N) on causes (n, 2), shrunk as if `DOUBT` frames had shown none."""
    return np.linalg.pinv(causes) @ effects * (len(causes) / (len(causes) + DOUBT))


def _columns(vertices: np.ndarray) -> Iterator[np.ndarray]:
    """The coordinates of vertices (n, 468, 3) as views (n, COLUMNS) of some at a time."""
    flat = vertices.reshape(len(vertices), -1)
    for first in range(0, flat.shape[1], COLUMNS):
        yield flat[:, first : first + COLUMNS]


def _kept_share(vertices: np.ndarray) -> np.ndarray:
    """How far the lips of each frame stay as tracked, (T,) float32: 1 where closed, 0 where open."""
    gap = np.linalg.norm(vertices[:, UPPER_INNER_LIP] - vertices[:, LOWER_INNER_LIP], axis=1)
    if not np.isfinite(gap).any():
        return np.zeros(len(gap), np.float32)
    wide = max(float(np.nanpercentile(gap, WIDE_GAP)), 1e-9)
    return np.clip((OPEN - gap / wide) / (OPEN - CLOSED), 0.0, 1.0).astype(np.float32)


def _smoother(times: np.ndarray, seconds: float, degree: int = 2):
    """Sparse (n, n) float32 matrix: the value at each time of the polynomial fitted around it; degree 0: the mean."""
    from scipy.sparse import coo_matrix

    count = len(times)
    low = np.searchsorted(times, times - REACH * seconds)
    high = np.searchsorted(times, times + REACH * seconds, side="right")
    row = np.repeat(np.arange(count), high - low)
    column = np.arange(len(row)) - np.repeat(np.cumsum(high - low) - (high - low), high - low) + low[row]
    offset = (times[column] - times[row]) / seconds
    weight = np.exp(-0.5 * offset**2)
    powers = offset[:, None] ** np.arange(degree + 1)
    normal = np.zeros((count, degree + 1, degree + 1))
    np.add.at(normal, row, weight[:, None, None] * powers[:, :, None] * powers[:, None])
    # Runs of one or two frames determine no parabola; the tiny ridge then leaves them nearly as they are.
    level = np.zeros((count, degree + 1, 1))
    level[:, 0] = 1.0
    solved = np.linalg.solve(normal + 1e-9 * np.diag(level[0, :, 0] == 0), level)[..., 0]
    values = weight * np.einsum("pi,pi->p", powers, solved[row])
    return coo_matrix((values.astype(np.float32), (row, column)), shape=(count, count)).tocsr()
