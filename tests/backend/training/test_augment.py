"""Augmentation changes the sound in the ways it says."""

import numpy as np
import pytest

from backend.audio.decode import SAMPLE_RATE
from backend.training.augment import add_reverb, augment_columns, change_speed, coloured_noise, random_span
from backend.training.config import AugmentConfig


def test_speed_moves_pitch_and_times_together():
    samples = np.sin(2 * np.pi * 200 * np.arange(SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)
    faster, times = change_speed(samples, np.array([0.5]), 1.25)
    assert len(faster) == pytest.approx(SAMPLE_RATE / 1.25, abs=2)
    assert times[0] == pytest.approx(0.4)
    spectrum = np.abs(np.fft.rfft(faster))
    assert np.argmax(spectrum) * SAMPLE_RATE / len(faster) == pytest.approx(250, abs=2)


def test_noise_has_the_level_asked_for():
    noise = coloured_noise(SAMPLE_RATE, 0.01, np.random.default_rng(0))
    assert np.sqrt(np.mean(noise**2)) == pytest.approx(0.01, rel=1e-3)


def test_reverb_keeps_the_direct_sound_in_time():
    click = np.zeros(SAMPLE_RATE, np.float32)
    click[100] = 1
    room = add_reverb(click, 0.3, np.random.default_rng(0))
    assert np.argmax(np.abs(room)) == 100
    assert room[100] == pytest.approx(1, abs=1e-3)
    assert not room[:100].any() or np.abs(room[:100]).max() < 1e-6
    early, late = np.sum(room[101:1000] ** 2), np.sum(room[4000:4899] ** 2)
    assert early > 100 * late


def test_columns_keep_their_shape_and_lose_a_band():
    columns = np.ones((50, 2, 256), np.float32)
    config = AugmentConfig(gain_db=0, tilt_db=0)
    changed = augment_columns(columns, config, np.random.default_rng(4))
    assert changed.shape == columns.shape
    assert set(np.unique(changed)) <= {0.0, 1.0}


def test_spans_stay_inside():
    rng = np.random.default_rng(0)
    for _ in range(200):
        span = random_span(10, 20, rng)
        assert 0 <= span.start <= span.stop <= 10
