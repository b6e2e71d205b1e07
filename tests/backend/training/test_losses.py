"""Losses against scikit-image and hand calculation."""

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from backend.training.losses import (
    closure_loss,
    edge_difference,
    geometry_loss,
    ssim_map,
    texture_loss,
    unsharp,
    vertex_weights,
)
from shape_keys.topology import LIPS, LOWER_INNER_LIP, UPPER_INNER_LIP


def test_ssim_equals_scikit_image():
    rng = np.random.default_rng(0)
    first = rng.random((40, 50, 3))
    second = np.clip(first + 0.2 * rng.standard_normal(first.shape), 0, 1)
    _, reference = structural_similarity(
        first,
        second,
        data_range=1.0,
        channel_axis=2,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    tensors = [torch.from_numpy(x.transpose(2, 0, 1))[None] for x in (first, second)]
    ours = ssim_map(*tensors)[0].numpy().transpose(1, 2, 0)
    inner = (slice(6, -6), slice(6, -6))  # the two mirror the border differently
    assert np.allclose(ours[inner], reference[inner], atol=1e-6)
    assert torch.allclose(ssim_map(tensors[0], tensors[0]), torch.ones(1, 3, 40, 50, dtype=torch.float64))


def test_geometry_loss_by_hand():
    predicted, true = torch.zeros(2, 468, 3), torch.zeros(2, 468, 3)
    predicted[1, 7] = torch.tensor([3.0, 4.0, 0.0])
    weights = torch.ones(468)
    weights[7] = 2.0
    assert geometry_loss(predicted, true, weights).tolist() == [0.0, 50.0]


def test_vertex_weights_have_mean_one_and_heavy_lips():
    weights = vertex_weights(10.0)
    assert weights.mean().item() == pytest.approx(1.0)
    assert (weights[LIPS[0]] / weights[1]).item() == pytest.approx(10.0)


def test_closure_counts_only_where_the_true_lips_are_closed():
    true, predicted = torch.zeros(2, 468, 3), torch.zeros(2, 468, 3)
    true[1, UPPER_INNER_LIP, 1] = 0.3
    predicted[:, LOWER_INNER_LIP, 1] = -0.1
    assert closure_loss(predicted, true).numpy() == pytest.approx([0.01, 0.0])


def test_texture_loss_ignores_pixels_of_weight_zero():
    true = torch.rand(1, 3, 32, 32)
    predicted = true.clone()
    predicted[..., :8] = 0
    weights = torch.ones(1, 1, 32, 32)
    assert texture_loss(predicted, true, weights, 0.1).item() > 0.1
    weights[..., :16] = 0
    assert texture_loss(predicted, true, weights, 0.1).item() == pytest.approx(0.0, abs=1e-6)


def test_an_unsharp_mask_strengthens_waves_by_what_a_gaussian_takes_from_them():
    wave = torch.sin(torch.arange(48) * 2 * torch.pi / 6).expand(1, 3, 48, 48) * 0.3 + 0.5
    gain = 1 + 0.2 * (1 - np.exp(-((2 * np.pi / 6) ** 2) / 2))
    middle = slice(8, -8)
    expected = 0.5 + gain * (wave - 0.5)
    assert torch.allclose(unsharp(wave, 0.2)[..., middle, middle], expected[..., middle, middle], atol=1e-3)
    flat = torch.full((1, 3, 20, 30), 0.4)
    assert torch.allclose(unsharp(flat, 0.2), flat)


def test_edges_may_run_elsewhere_but_not_be_faint():
    stripes = torch.sin(torch.arange(48) * 2 * torch.pi / 6).expand(1, 3, 48, 48) * 0.3 + 0.5
    moved, faint = stripes.roll(2, dims=-1), 0.5 + 0.5 * (stripes - 0.5)
    middle = slice(8, -8)
    assert edge_difference(stripes, stripes).max() == 0
    assert edge_difference(moved, stripes)[..., middle, middle].max() < 0.01
    step = stripes.diff(dim=-1).square().mean().sqrt()
    halved = edge_difference(faint, stripes)[..., middle, middle]
    assert halved.mean().item() == pytest.approx(0.5 * step.item(), rel=0.05)
    weights = torch.ones(1, 1, 48, 48)
    plain = texture_loss(faint, stripes, weights, 0.1)
    assert (texture_loss(faint, stripes, weights, 0.1, 10.0) - plain).item() == pytest.approx(
        10 * edge_difference(faint, stripes).mean().item(), rel=1e-4
    )
