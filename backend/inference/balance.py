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
free. The first is `CLOSED_SHARE` of `backend.evaluation.speech_figures`."""
UNTOUCHED = 0.005
"""Interocular units: shapes that move the lips apart or together by less are always free; a smile parts no lips."""


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
    Of what is wanted, only the shapes that would do so are held back.
    """
    wanted: np.ndarray = np.clip(weights, 0, 1) - performance.weights
    effect = gap_of_shapes()
    gap, opening = performance.gap(), wanted @ effect
    share = np.clip((gap / wide_gap(gap) - CONTACT) / (APART - CONTACT), 0, 1)
    free = share * share * (3 - 2 * share)
    allowed = np.where(opening > 0, free * opening, np.maximum(opening, -np.maximum(gap, 0)))
    guilty = (wanted * effect * np.sign(opening)[:, None] > 0) & (np.abs(effect) > UNTOUCHED)
    blame = (wanted * guilty) @ effect
    kept = np.clip(1 - (opening - allowed) / np.where(blame == 0, 1, blame), 0, 1)
    return performance.reweighted(performance.weights + wanted * np.where(guilty, kept[:, None], 1))
