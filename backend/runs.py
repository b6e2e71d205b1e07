"""Runs: stretches of a mask without interruption."""

import numpy as np


def find_runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """Start and end (one past) of the runs of True in (N,) bool, in order."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
