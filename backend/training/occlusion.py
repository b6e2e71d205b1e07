"""Hands, microphones and cups before the face: where skin stops looking like the reference, compared with itself."""

import numpy as np

CELLS = 8
"""Cells along a side of the lip crop; 16 pixels each, the width over which lighting is estimated."""

LEAST_SKIN = 0.5
"""Share of skin from which a cell is looked at."""

COVERED_BELOW = 0.3
"""Of a cell's own median agreement, under which something covers it. A dark ellipse on a quarter of the lower face
of five speakers lies under it, blur, side light and talking do not."""

COVERED_SHARE = 0.05
"""Share of the cells from which the frame counts as covered; the ellipse covers 6.5 to 15 %."""


def agreement_cells(weights: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """Mean weight of the skin in each cell of a lip crop: (64,) uint8, 255 for full agreement.

    weights (128, 128) float32: how well each pixel agrees with the reference but for its light, 0..1; skin (128, 128)
    bool. Cells with little skin read 255.
    """
    share = _cells(skin.astype(np.float32))
    mean = _cells(weights * skin) / np.maximum(share, 1e-6)
    return np.round(np.where(share >= LEAST_SKIN, np.clip(mean, 0, 1), 1.0) * 255).astype(np.uint8)


def covered_frames(agreement: np.ndarray) -> np.ndarray:
    """Frames (T,) bool in which something covers the lower face; agreement (T, 64) uint8, see `agreement_cells`.

    Each cell is judged by its median over the frames, so what covers the face in most of them is not seen, nor is a
    hand exactly of the face's colour and shading.
    """
    if len(agreement) == 0:
        return np.zeros(0, bool)
    usual = np.median(agreement, axis=0)
    return (agreement < COVERED_BELOW * usual).sum(axis=1) > COVERED_SHARE * max(int((usual < 255).sum()), 1)


def _cells(values: np.ndarray) -> np.ndarray:
    side = len(values) // CELLS
    return values.reshape(CELLS, side, CELLS, side).mean(axis=(1, 3)).reshape(-1)
