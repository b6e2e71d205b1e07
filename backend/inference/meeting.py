"""Weights whose lips meet where those of the vertices do: a character is moved by weights alone."""

from dataclasses import replace

import numpy as np

from backend.inference.performance import Performance, gap_of_shapes
from shape_keys import arkit

NEAR = 0.015
"""Lip gap of the vertices, interocular units, up to which the weights' lips are no further apart; at twice that they
are left to themselves."""
SPOKEN = np.array([not name.startswith(("brow", "eye")) for name in arkit.NAMES], np.float32)
"""Shapes that sound moves; what a network has learnt of brows and lids beside them is chance. Layers move these."""


def show_spoken(heard: Performance, rounder: np.ndarray) -> Performance:
    """What a network makes of sound as a face shows it, of a file and live: brows and lids still, lips that meet.

    rounder: (T, 52), what the weights lack to be as round as is heard (`heard_lips.lacking`).
    """
    shown = heard.reweighted((heard.weights + rounder) * SPOKEN)
    return replace(shown, weights=meet(shown.weights, shown.gap(), shown.rest_gap))


def meet(weights: np.ndarray, gap: np.ndarray, rest_gap: float) -> np.ndarray:
    """ARKit weights (T, 52) that close a face's lips as far as its vertices are closed; the same where those are apart.

    The network learns weights apart from vertices, and leaves lips ajar by them. What parts the lips beside the jaw is
    taken back first, but not how round they are; what the jaw opens is then closed by mouthClose, as ARKit means it.

    gap: (T,), vertical distance of the vertices' inner lips; rest_gap: that of the face at rest; interocular units.
    """
    shapes = gap_of_shapes()
    too_far = np.maximum(rest_gap + weights @ shapes - np.maximum(gap, 0), 0) * np.clip(2 - gap / NEAR, 0, 1)
    parting = shapes > 0
    parting[[arkit.INDEX["jawOpen"], arkit.INDEX["mouthPucker"]]] = False
    parted = weights[:, parting] @ shapes[parting]
    taken = np.minimum(too_far, parted)
    result = weights.copy()
    result[:, parting] *= (1 - taken / np.maximum(parted, 1e-9))[:, None]
    close = arkit.INDEX["mouthClose"]
    result[:, close] += (too_far - taken) / -shapes[close]
    return np.clip(result, 0, 1).astype(np.float32)
