"""Blendshape weights that explain the movement of a face."""

from collections.abc import Sequence

import numpy as np

from shape_keys import arkit

UNSEEN: tuple[int, ...] = tuple(i for i, n in enumerate(arkit.NAMES) if n.startswith("eyeLook") or n == "tongueOut")
"""Shapes that the 468 vertices do not show: gaze (lids only follow it, and a blink moves them alike) and the tongue."""

L1 = 2e-3  # interocular units squared; about ten times what tracking noise of 0.003 a vertex lends a small shape
RIDGE = 0.02  # interocular units squared; smooths lids and brows over about two frames, the jaw not at all
MOST_STEPS = 1000
TOLERANCE = 1e-5  # largest change of a weight in a step at which the fit ends


def fit_weights(
    offsets: np.ndarray,
    basis: np.ndarray,
    *,
    l1: float | np.ndarray = L1,
    ridge: float = RIDGE,
    vertex_weights: np.ndarray | None = None,
    frozen: Sequence[int] = UNSEEN,
) -> np.ndarray:
    """Weights w in 0..1 that minimise, over all frames t at once,

        1/2 sum_t,v vertex_weights[v] |offsets[t, v] - sum_s w[t, s] basis[s, v]|^2
        + sum_t,s l1[s] w[t, s] + ridge/2 sum_t,s (w[t, s] - w[t-1, s])^2

    LipSync3D section 3.2 (blendshape targets); solved by accelerated projected gradient steps in diagonally scaled
    coordinates with restarts (Beck and Teboulle 2009, doi:10.1137/080716542; O'Donoghue and Candes 2015,
    doi:10.1007/s10208-013-9150-3).

    Args:
        offsets: (T, V, 3) vertices minus the speaker's own neutral face, head space, interocular units; consecutive.
        basis: (S, V, 3) as from `load_basis`.
        l1: price of a weight, one for all shapes or (S,); the higher, the fewer shapes take part.
        ridge: price of a weight's change between frames.
        vertex_weights: (V,) not negative; 1 where not given.
        frozen: shapes held at 0, by index.

    Returns:
        (T, S) float32.

    Raises:
        ValueError: shapes that do not fit one another, values that are not finite, or a negative price.
    """
    _check(offsets, basis, l1, ridge)
    weight = np.ones(basis.shape[1]) if vertex_weights is None else np.asarray(vertex_weights, np.float64)
    if weight.shape != basis.shape[1:2] or not np.all(weight >= 0):
        raise ValueError(f"vertex_weights has shape {weight.shape}: expected ({basis.shape[1]},), none negative")
    prices = np.broadcast_to(np.asarray(l1, np.float64), len(basis))
    free = np.setdiff1d(np.arange(len(basis)), np.asarray(frozen, int))
    shapes = (basis[free].astype(np.float64) * np.sqrt(weight)[:, None]).reshape(len(free), basis.shape[1] * 3)
    targets = (offsets * np.sqrt(weight)[:, None]).reshape(len(offsets), basis.shape[1] * 3)
    fitted = np.zeros((len(offsets), len(basis)), np.float32)
    fitted[:, free] = _solve(shapes @ shapes.T, targets @ shapes.T - prices[free], ridge)
    return fitted


def _check(offsets: np.ndarray, basis: np.ndarray, l1: float | np.ndarray, ridge: float) -> None:
    if basis.ndim != 3 or offsets.ndim != 3 or offsets.shape[1:] != basis.shape[1:] or basis.shape[2] != 3:
        raise ValueError(
            f"offsets {offsets.shape} and basis {basis.shape} do not fit: expected (T, V, 3) and (S, V, 3)"
        )
    if not np.isfinite(offsets).all():
        raise ValueError("offsets holds values that are not finite: leave out the frames without a face before fitting")
    if np.shape(l1) not in ((), basis.shape[:1]):
        raise ValueError(f"l1 has shape {np.shape(l1)}: expected one number or ({len(basis)},)")
    if np.min(l1) < 0 or ridge < 0:
        raise ValueError(f"l1 and ridge must not be negative, got {l1} and {ridge}")


def _solve(gram: np.ndarray, linear: np.ndarray, ridge: float) -> np.ndarray:
    """Minimise 1/2 w G w - linear w + ridge/2 |dw/dt|^2 over 0 <= w <= 1; G (S, S), linear (T, S), result (T, S)."""
    diagonal = gram.diagonal() + 2 * ridge
    scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1))
    gram, linear, roughness = gram * np.outer(scale, scale), linear * scale, ridge * scale**2
    most = 1 / scale
    step = 1 / max(float(np.linalg.eigvalsh(gram + np.diag(4 * roughness))[-1]), 1e-12) if len(gram) else 1.0
    current = np.zeros_like(linear)
    ahead, momentum = current, 1.0
    for _ in range(MOST_STEPS):
        gradient = ahead @ gram - linear + roughness * _second_difference(ahead)
        following = np.clip(ahead - step * gradient, 0, most)
        change = following - current
        if np.sum((ahead - following) * change) > 0:  # the momentum points uphill: start it anew
            momentum = 1.0
        faster = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = following + (momentum - 1) / faster * change
        current, momentum = following, faster
        if np.abs(change * scale).max(initial=0) < TOLERANCE:
            break
    return current * scale


def _second_difference(values: np.ndarray) -> np.ndarray:
    """Gradient of half the sum of squared differences between consecutive rows."""
    difference = np.diff(values, axis=0, prepend=values[:1], append=values[-1:])
    return difference[:-1] - difference[1:]
