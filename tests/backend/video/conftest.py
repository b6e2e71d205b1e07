"""Pictures made by hand."""

import numpy as np


def blocks(width: int, height: int) -> np.ndarray:
    """A picture whose quarters tell every turn apart: (height, width, 3) uint8, white only at the top left."""
    picture = np.full((height, width, 3), 30, np.uint8)
    picture[: height // 2, : width // 2] = 255
    return picture
