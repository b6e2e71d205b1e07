"""Ranges of scene frames, (first, last)."""

import math
from collections.abc import Sequence

EVER = (-math.inf, math.inf)


def overlap(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether two ranges have more than an end in common."""
    return one[0] < other[1] and other[0] < one[1]
