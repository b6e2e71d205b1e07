"""CPBD: how sharp a picture looks, from its edges (Narvekar and Karam 2011, doi:10.1109/TIP.2011.2131660).

The only Python package of it is unmaintained, so the method is written out here.
"""

import numpy as np

BLOCK = 64
"""Pixels a side of the blocks that are judged by their own contrast."""
EDGE_SHARE = 0.002
"""Share of edge pixels from which a block takes part."""
JUST_NOTICEABLE = {"low": 5, "high": 3}
"""Width in pixels of an edge that is just noticeably blurred, at low and at high contrast."""
HIGH_CONTRAST = 51
"""Range of grey levels in a block from which its contrast counts as high."""
BETA = 3.6
"""Exponent of the psychometric function."""
JUST_DETECTED = 0.63
"""Probability of noticing blur at the just noticeable width, 1 - 1/e: an edge of that very width counts as sharp."""


def cpbd(image: np.ndarray) -> float:
    """Share of a picture's edges, 0..1, at which blur is not noticed; NaN where there are no edges.

    image: (H, W, 3) uint8 RGB.
    """
    import cv2

    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
    edges = _vertical_edges(grey)
    widths = _edge_widths(grey, edges)
    probabilities = []
    height, width = grey.shape
    for top in range(0, height, BLOCK):
        for left in range(0, width, BLOCK):
            part = np.s_[top : top + BLOCK, left : left + BLOCK]
            inside = edges[part]
            if inside.sum() <= EDGE_SHARE * inside.size:
                continue
            block = grey[part]
            noticeable = JUST_NOTICEABLE["high" if int(np.ptp(block)) >= HIGH_CONTRAST else "low"]
            probabilities.append(1 - np.exp(-((widths[part][inside] / noticeable) ** BETA)))
    if not probabilities:
        return float("nan")
    return float(np.mean(np.round(np.concatenate(probabilities), 2) <= JUST_DETECTED))


def _vertical_edges(grey: np.ndarray) -> np.ndarray:
    """(H, W) bool: local maxima along the rows of the horizontal gradient, above a threshold set by its mean."""
    import cv2

    gradient = np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3))
    strong = gradient > 2 * np.sqrt((gradient**2).mean())
    left, right = np.roll(gradient, 1, axis=1), np.roll(gradient, -1, axis=1)
    edges = strong & (gradient >= left) & (gradient > right)
    edges[:, [0, -1]] = False
    return edges


def _edge_widths(grey: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """(H, W) distance in pixels between the extremes on either side of each edge pixel, along its row; 0 elsewhere."""
    values = grey.astype(int)
    widths = np.zeros(grey.shape)
    for y, x in zip(*np.nonzero(edges), strict=True):
        row = values[y]
        rising = bool(row[x + 1] > row[x - 1])
        widths[y, x] = _walk(row, x, 1, rising) + _walk(row, x, -1, not rising)
    return widths


def _walk(row: np.ndarray, place: int, step: int, rising: bool) -> int:
    """Pixels from `place` to where the row stops rising (or falling) in a direction."""
    start = place
    while 0 <= place + step < len(row) and (
        row[place + step] > row[place] if rising else row[place + step] < row[place]
    ):
        place += step
    return abs(place - start)
