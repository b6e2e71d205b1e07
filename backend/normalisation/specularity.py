"""Specular highlights: estimating and removing the white veil that shine lays over skin."""

from collections.abc import Sequence

import numpy as np

SKIN_PERCENTILE = 90.0
"""Skin pixels whose darkest channel exceeds this percentile may be shiny (LipSync3D §3.1.2)."""

REDUCTION = 4
"""Highlights are estimated on an atlas this many times smaller; they are smooth."""

FILL_SIGMAS = (3.0, 9.0)
"""Widths, in reduced pixels, of the blurs that carry clean skin into the holes, nearest first; then the mean."""

LARGEST_ALPHA = 0.9

GREY_PRIOR = 1e-4
"""Variance over channels below which a colour is too grey to tell light from veil; all is taken for veil then."""


def specular_alpha(atlas: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """The specular alpha map (H, W) float32, 0..0.9, of an atlas (H, W, 3) float32 in 0..1 (equation 3).

    Alpha is a scalar a pixel, estimated on a smoothed atlas, so that pores and stubble inside a highlight survive
    its removal. Equation 3 is fitted over the three channels together with a diffuse brightness b, as
    I = alpha + b Ic: a veil lifts all channels alike, while skin that is merely lit more strongly keeps its
    proportions. Without b a bright forehead loses its blue and turns orange.
    skin: (H, W) bool, where highlights are looked for.
    """
    import cv2

    height, width = skin.shape
    size = (width // REDUCTION, height // REDUCTION)
    where = cv2.resize(skin.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.99
    if not where.any():
        return np.zeros((height, width), np.float32)
    small = cv2.GaussianBlur(cv2.resize(atlas, size, interpolation=cv2.INTER_AREA), (0, 0), 1.0)
    darkest = small.min(axis=2)
    shiny = where & (darkest > np.percentile(darkest[where], SKIN_PERCENTILE))
    healthy = where & ~shiny & (darkest > np.median(darkest[where]))
    clean = fill_holes(small, healthy.astype(np.float32), FILL_SIGMAS)
    alpha = np.where(shiny, np.clip(_veil(small, clean), 0.0, LARGEST_ALPHA), 0.0).astype(np.float32)
    return cv2.resize(cv2.GaussianBlur(alpha, (0, 0), 1.0), (width, height), interpolation=cv2.INTER_LINEAR)


def remove_specularity(atlas: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The clean image Ic of I = alpha + (1 - alpha) Ic; atlas (H, W, 3) float32, alpha (H, W)."""
    return np.maximum((atlas - alpha[..., None]) / (1.0 - alpha[..., None]), 0.0)


def add_specularity(atlas: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The inverse of `remove_specularity`."""
    return alpha[..., None] + (1.0 - alpha[..., None]) * atlas


def _veil(observed: np.ndarray, clean: np.ndarray) -> np.ndarray:
    """Alpha (H, W) of observed = alpha + b * clean, by least squares over the channels, b drawn towards one."""
    o_mean, c_mean = observed.mean(axis=2), clean.mean(axis=2)
    c = clean - c_mean[..., None]
    brightness = ((c * observed).mean(axis=2) + GREY_PRIOR) / ((c * c).mean(axis=2) + GREY_PRIOR)
    return o_mean - brightness * c_mean


def fill_holes(values: np.ndarray, known: np.ndarray, sigmas: Sequence[float]) -> np.ndarray:
    """Values (H, W, 3) carried from known pixels (H, W, weight 1) over unknown ones (weight 0): (H, W, 3).

    sigmas: widths in pixels of the blurs that carry them, the narrowest first; each is a hundred times fainter than
    the last and so takes over where that found nothing. The mean takes over last.
    """
    import cv2

    masked = values * known[..., None]
    total, weight = masked * 1e3 + masked.mean(axis=(0, 1)) * 1e-6, known * 1e3 + known.mean() * 1e-6
    share = 1.0
    for sigma in sigmas:
        total = total + share * cv2.GaussianBlur(masked, (0, 0), sigma)
        weight = weight + share * cv2.GaussianBlur(known, (0, 0), sigma)
        share *= 0.01
    return total / np.maximum(weight, 1e-12)[..., None]
