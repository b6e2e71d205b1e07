"""Figures for predicted vertices and textures against true ones, as docs and cards report them."""

from collections.abc import Callable, Iterable

import numpy as np
import torch

from backend.normalisation.reference import INTEROCULAR_MM
from backend.training.losses import ssim_map
from shape_keys.topology import LIPS, LOWER_INNER_LIP, UPPER_INNER_LIP

LONGEST_LAG = 10
"""Frames either way in which `aperture_offset` looks for the best agreement."""


def vertex_error_mm(predicted: np.ndarray, true: np.ndarray) -> float:
    """Mean distance over all frames and vertices; both (T, 468, 3) in interocular units."""
    return float(np.linalg.norm(predicted - true, axis=-1).mean() * INTEROCULAR_MM)


def lip_error_mm(predicted: np.ndarray, true: np.ndarray) -> float:
    """Largest lip-vertex distance of each frame, averaged over frames; both (T, 468, 3) in interocular units."""
    distance = np.linalg.norm(predicted[:, LIPS] - true[:, LIPS], axis=-1)
    return float(distance.max(axis=1).mean() * INTEROCULAR_MM)


def lip_gap(vertices: np.ndarray) -> np.ndarray:
    """Distance of the inner lips' middle points: (T, 468, 3) -> (T,)."""
    return np.linalg.norm(vertices[:, UPPER_INNER_LIP] - vertices[:, LOWER_INNER_LIP], axis=-1)


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's r of two curves (T,); NaN where one of them does not move."""
    first, second = first - first.mean(), second - second.mean()
    scale = np.sqrt((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / scale) if scale > 0 else float("nan")


def aperture_offset(predicted: np.ndarray, true: np.ndarray, times: np.ndarray) -> float:
    """Seconds by which the predicted lip gap (T,) lags the true one (T,): where their correlation is highest.

    times: (T,), growing; both curves go straight on where frames are missing. At least half of the frames are compared
    at every lag: two points always lie on a line. 0 where one of the curves does not move at any lag.
    """
    if len(times) < 2:
        return 0.0
    step = float(np.median(np.diff(times)))
    frames = np.arange(times[0], times[-1] + step / 2, step)
    predicted, true = np.interp(frames, times, predicted), np.interp(frames, times, true)
    reach = min(LONGEST_LAG, len(true) // 2)
    lags = range(-reach, reach + 1)
    scores = [
        correlation(predicted[max(0, k) : len(predicted) + min(0, k)], true[max(0, -k) : len(true) - max(0, k)])
        for k in lags
    ]
    return 0.0 if np.isnan(scores).all() else lags[int(np.nanargmax(scores))] * step


def of_known(statistic: Callable[[list[float]], np.floating], values: Iterable[float]) -> float:
    """A statistic of the values that are numbers; NaN where none is, of which NumPy would warn the user."""
    known = [value for value in values if not np.isnan(value)]
    return float(statistic(known)) if known else float("nan")


def geometry_figures(predicted: np.ndarray, true: np.ndarray, times: np.ndarray) -> dict[str, float]:
    """All figures of the vertices; both (T, 468, 3) in interocular units, times (T,) seconds, growing."""
    gaps = lip_gap(predicted), lip_gap(true)
    return {
        "vertex_error_mm": vertex_error_mm(predicted, true),
        "lip_error_mm": lip_error_mm(predicted, true),
        "aperture_r": correlation(*gaps),
        "aperture_offset_ms": aperture_offset(*gaps, times) * 1000,
    }


def weighted_ssim(first: np.ndarray, second: np.ndarray, weights: np.ndarray) -> float:
    """Mean SSIM over pixels with weights (T, H, W) of pictures (T, H, W, 3) uint8; one frame at a time."""
    total = 0.0
    for a, b, weight in zip(first, second, weights, strict=True):
        similarity = ssim_map(_to_tensor(a), _to_tensor(b))[0].mean(0).numpy()
        total += float((similarity * weight).sum())
    return total / max(float(weights.sum()), 1e-9)


def _to_tensor(image: np.ndarray) -> torch.Tensor:
    """(H, W, 3) uint8 -> (1, 3, H, W) float32 in 0..1."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None].float() / 255


def weighted_psnr(first: np.ndarray, second: np.ndarray, weights: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of pictures (T, H, W, 3) uint8 over pixels with weights (T, H, W)."""
    square, count = 0.0, max(float(weights.sum()), 1e-9)
    for a, b, weight in zip(first, second, weights, strict=True):
        square += float((((a.astype(np.float32) - b) / 255) ** 2).mean(-1).ravel() @ weight.ravel())
    return float(-10 * np.log10(max(square / count, 1e-12)))
