"""Turn a frame rate into Blender's pair of numbers; needs no Blender."""

import math


def split_rate(fps: float) -> tuple[int, float]:
    """(frames, base) with frames / base = `fps`: 25 -> (25, 1.0), 29.97 -> (30, 1.001001)."""
    whole = round(fps)
    if whole >= 1 and abs(fps - whole) < 1e-6:
        return whole, 1.0
    frames = max(1, math.ceil(fps))
    return frames, frames / fps
