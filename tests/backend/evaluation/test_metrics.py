"""Figures against hand calculation, numpy and scikit-image."""

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from backend.evaluation.metrics import (
    aperture_offset,
    correlation,
    geometry_figures,
    lip_error_mm,
    lip_gap,
    of_known,
    vertex_error_mm,
    weighted_psnr,
    weighted_ssim,
)
from shape_keys.topology import LIPS, UPPER_INNER_LIP


def test_errors_by_hand():
    true, predicted = np.zeros((2, 468, 3)), np.zeros((2, 468, 3))
    predicted[0, LIPS[3]] = [0.03, 0.04, 0.0]  # 0.05 of 90 mm
    assert lip_error_mm(predicted, true) == pytest.approx(4.5 / 2)
    assert vertex_error_mm(predicted, true) == pytest.approx(4.5 / (2 * 468))


def test_correlation_equals_numpy():
    a, b = np.random.default_rng(0).random((2, 50))
    assert correlation(a, b) == pytest.approx(np.corrcoef(a, b)[0, 1])
    assert np.isnan(correlation(a, np.ones(50)))


@pytest.mark.parametrize("lag", [-7, -1, 0, 3, 8])
def test_a_shifted_curve_has_its_shift_as_offset(lag):
    curve = np.convolve(np.random.default_rng(1).random(400), np.ones(4) / 4, "same")
    assert aperture_offset(np.roll(curve, lag), curve, np.arange(400) / 25) == pytest.approx(lag / 25)


def test_frames_that_are_missing_do_not_shorten_the_offset():
    curve, times = np.convolve(np.random.default_rng(1).random(403), np.ones(4) / 4, "valid"), np.arange(400) / 25
    shown = times * 25 % 12 < 8  # four frames of every twelve show no face
    assert aperture_offset(np.roll(curve, 4)[shown], curve[shown], times[shown]) == pytest.approx(4 / 25)


def test_a_short_clip_is_not_shifted_until_two_points_agree():
    curve = np.array([0.1, 0.3, 0.2, 0.5, 0.4, 0.1, 0.2, 0.4, 0.3, 0.1, 0.2, 0.35])
    near = curve + 0.05 * np.array([1, -1, 0, 1, 0, -1, 1, 0, -1, 0, 1, -1])  # r 0.93; its ends rise alike by chance
    assert aperture_offset(near, curve, np.arange(12)) == 0


def test_figures_that_no_clip_has_are_nan_without_a_warning(recwarn):
    assert np.isnan(of_known(np.mean, []))
    assert np.isnan(of_known(np.median, [np.nan, np.nan]))
    assert of_known(np.mean, [np.nan, 1.0, 2.0]) == 1.5
    assert not recwarn.list


def test_a_late_prediction_has_a_positive_offset_in_ms():
    vertices = np.zeros((200, 468, 3))
    vertices[:, UPPER_INNER_LIP, 1] = np.convolve(np.random.default_rng(2).random(200), np.ones(3) / 3, "same")
    figures = geometry_figures(np.roll(vertices, 2, axis=0), vertices, np.arange(len(vertices)) / 25)
    assert figures["aperture_offset_ms"] == pytest.approx(80)
    assert lip_gap(vertices)[50] == pytest.approx(vertices[50, UPPER_INNER_LIP, 1])


def test_picture_figures_equal_scikit_image():
    rng = np.random.default_rng(0)
    first = rng.integers(0, 256, (2, 40, 40, 3), np.uint8)
    second = np.clip(first + rng.normal(0, 20, first.shape), 0, 255).astype(np.uint8)
    weights = np.zeros((2, 40, 40))
    weights[:, 8:-8, 8:-8] = 1
    inner = [
        structural_similarity(a, b, channel_axis=2, gaussian_weights=True, use_sample_covariance=False, full=True)[1][
            8:-8, 8:-8
        ].mean()
        for a, b in zip(first, second, strict=True)
    ]
    assert weighted_ssim(first, second, weights) == pytest.approx(np.mean(inner), abs=1e-4)
    cut = (slice(None), slice(8, -8), slice(8, -8))
    assert weighted_psnr(first, second, weights) == pytest.approx(
        peak_signal_noise_ratio(first[cut], second[cut]), abs=1e-3
    )
