"""Balance between shapes: jaw, lips, single gains, and how clearly the face articulates. Contacts stay contacts."""

from collections.abc import Mapping

import numpy as np

from backend.inference.performance import Performance, gap_of_shapes, wide_gap
from backend.inference.style import Style, gain_shapes
from shape_keys import arkit

JAW = tuple(index for name, index in arkit.INDEX.items() if name.startswith("jaw") or name == "mouthClose")
"""mouthClose is what the lips do against an open jaw, so it goes with the jaw."""
LIPS = tuple(index for name, index in arkit.INDEX.items() if name.startswith("mouth") and name != "mouthClose")
CONTACT, APART = 0.1, 0.35
"""Shares of a widely opened mouth: below the first the lips count as closed and stay so, above the second they are
free; as in `backend.evaluation.speech_figures`."""


def gain_factors(gains: Mapping[str, float]) -> np.ndarray:
    """The factor of every shape, (52,) float32 in the order of `arkit.NAMES`. Raises UsageError, see `gain_shapes`."""
    factors = np.ones(len(arkit.NAMES), np.float32)
    for shape, factor in gain_shapes(gains).items():
        factors[shape] *= factor
    return factors


def balance(performance: Performance, style: Style, speaking: np.ndarray) -> Performance:
    """Change the balance as `style` says. speaking: (T,) in 0..1, how much of it is speech."""
    if not style.reshapes:
        return performance
    weights = performance.weights.copy()
    if style.style != 1 and speaking.sum() > 0:
        mouth = [*JAW, *LIPS]
        mean = speaking @ weights[:, mouth] / speaking.sum()
        weights[:, mouth] += (style.style - 1) * speaking[:, None] * (weights[:, mouth] - mean)
    factors = gain_factors(style.gains)
    factors[list(JAW)] *= style.jaw
    factors[list(LIPS)] *= style.lips
    return keep_contacts(performance, weights * factors)


def keep_contacts(performance: Performance, weights: np.ndarray) -> Performance:
    """The performance with the wanted weights (T, 52), as far as closed lips stay closed and none cross.

    Contacts carry meaning (/p b m/), and scaling what leads there would open them or push the lips through each other.
    """
    change: np.ndarray = np.clip(weights, 0, 1) - performance.weights
    gap, opening = performance.gap(), change @ gap_of_shapes()
    share = np.clip((gap / wide_gap(gap) - CONTACT) / (APART - CONTACT), 0, 1)
    free = share * share * (3 - 2 * share)
    room = np.maximum(gap, 0)
    closing = np.minimum(1, room / np.maximum(np.negative(opening), 1e-6))
    allowed = np.where(opening > 0, free, closing)
    return performance.reweighted(performance.weights + allowed[:, None] * change)
