"""The loss of joint training (LipSync3D section 3.2.1) and what is added to it."""

import functools

import torch
from torch import Tensor

from shape_keys.topology import LIPS, LOWER_INNER_LIP, UPPER_INNER_LIP, VERTEX_COUNT

CLOSED_GAP = 0.02
"""Lip gap below which the mouth counts as closed, interocular units (about 1.8 mm on an adult)."""

LEAST_EDGE = 1e-3
"""Step from pixel to pixel below which the roots of `edge_difference` are rounded off."""


def vertex_weights(lip_weight: float) -> Tensor:
    """(468,) weights with mean 1, lips `lip_weight` times the others."""
    weights = torch.ones(VERTEX_COUNT)
    weights[list(LIPS)] = lip_weight
    return weights / weights.mean()


def geometry_loss(predicted: Tensor, true: Tensor, weights: Tensor) -> Tensor:
    """Squared distance summed over vertices, one number a frame: (..., 468, 3), (..., 468, 3), (468,) -> (...)."""
    return ((predicted - true).square().sum(-1) * weights).sum(-1)


def lip_gap(vertices: Tensor) -> Tensor:
    """Distance of the inner lips' middle points: (..., 468, 3) -> (...)."""
    return torch.linalg.vector_norm(vertices[..., UPPER_INNER_LIP, :] - vertices[..., LOWER_INNER_LIP, :], dim=-1)


def closure_loss(predicted: Tensor, true: Tensor) -> Tensor:
    """Squared error of the lip gap where the true lips are closed, zero elsewhere: vertices (..., 468, 3) -> (...)."""
    closed = lip_gap(true) < CLOSED_GAP
    return (lip_gap(predicted) - lip_gap(true)).square() * closed


@functools.cache
def _blur_matrix(length: int, size: int, sigma: float) -> Tensor:
    """(length, length): a row of pixels times this is the row blurred by a Gaussian, reflected at its ends."""
    x = torch.arange(size) - (size - 1) / 2
    kernel = torch.exp(-(x**2) / (2 * sigma**2))
    single = torch.nn.functional.pad(torch.eye(length)[:, None], (size // 2,) * 2, mode="reflect")
    return torch.nn.functional.conv1d(single, (kernel / kernel.sum())[None, None])[:, 0]


def _blur(images: Tensor, size: int, sigma: float) -> Tensor:
    """Blurred images (B, C, H, W), as two products: a processor convolves single channels eight times as slowly."""
    down, along = (_blur_matrix(length, size, sigma).to(images) for length in images.shape[-2:])
    return down.T @ (images @ along)


def ssim_map(first: Tensor, second: Tensor, size: int = 11, sigma: float = 1.5) -> Tensor:
    """Structural similarity at every pixel (Wang et al. 2004, doi:10.1109/TIP.2003.819861).

    first, second: (B, C, H, W) in 0..1, reflected at the border. Returns (B, C, H, W), 1 where they agree.
    """
    batch = len(first)
    stacked = torch.cat([first, second, first * first, second * second, first * second])
    mean1, mean2, square1, square2, product = _blur(stacked, size, sigma).split(batch)
    variance1, variance2, covariance = square1 - mean1**2, square2 - mean2**2, product - mean1 * mean2
    c1, c2 = 0.01**2, 0.03**2
    return ((2 * mean1 * mean2 + c1) * (2 * covariance + c2)) / (
        (mean1**2 + mean2**2 + c1) * (variance1 + variance2 + c2)
    )


def unsharp(images: Tensor, amount: float, size: int = 7, sigma: float = 1.0) -> Tensor:
    """Images with `amount` of what a blur of `sigma` pixels takes from them added once more: (B, C, H, W)."""
    return images + amount * (images - _blur(images, size, sigma))


def edge_difference(first: Tensor, second: Tensor, size: int = 11, sigma: float = 1.5) -> Tensor:
    """How much stronger edges are about a pixel of one image than of the other, wherever exactly they run.

    The root mean square step from pixel to pixel, over the same window as SSIM's. first, second: (B, C, H, W) in 0..1.
    Returns (B, C, H, W).
    """
    batch, images = len(first), torch.cat([first, second])
    along = images.diff(dim=-1, append=images[..., -1:])
    down = images.diff(dim=-2, append=images[..., -1:, :])
    strength = (_blur(along.square() + down.square(), size, sigma) + LEAST_EDGE**2).sqrt()
    return (strength[:batch] - strength[batch:]).abs()


def texture_loss(
    predicted: Tensor, true: Tensor, weights: Tensor, l1_weight: float, edge_weight: float = 0.0
) -> Tensor:
    """1 - SSIM plus a little l1, averaged over the pixels that count; with `edge_weight`, the edges' strength too.

    predicted, true: (B, 3, H, W) in 0..1; weights: (B, 1, H, W). Returns (B,).
    """
    difference = 1 - ssim_map(predicted, true) + l1_weight * (predicted - true).abs()
    if edge_weight:
        difference = difference + edge_weight * edge_difference(predicted, true)
    return (difference.mean(1, keepdim=True) * weights).sum((1, 2, 3)) / weights.sum((1, 2, 3)).clamp_min(1e-6)
