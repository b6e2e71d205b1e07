"""Spectrogram windows against scipy's STFT, numpy's FFT and hand calculation."""

import numpy as np
import pytest
import scipy.signal

from backend.audio.decode import SAMPLE_RATE
from backend.audio.spectrogram import (
    COLUMNS,
    SPEECH_RMS,
    frame_times,
    normalise_level,
    spectrogram_windows,
    spectrum,
)


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32) * 0.1


def test_columns_equal_scipy_stft(noise):
    centres = np.arange(1600, 14_400, 160)
    _, _, reference = scipy.signal.stft(
        noise.astype(np.float64), SAMPLE_RATE, "hann", nperseg=480, noverlap=320, nfft=512, scaling="spectrum"
    )  # column j is centred at 160 j, the window scaled to sum 1
    ours = spectrum(noise, centres)
    complex_ours = ours[:, 0] + 1j * ours[:, 1]
    true = reference[1:, centres // 160].T * scipy.signal.get_window("hann", 480).sum()
    assert np.allclose(np.abs(complex_ours), np.abs(true) ** 0.3, rtol=1e-3, atol=1e-3)
    # scipy measures phase from the middle of the padded window, we from its start; what must agree is the difference.
    turn = np.exp(1j * (np.angle(complex_ours) - np.angle(true)))
    assert np.allclose(turn, turn[:1], atol=2e-2)


def test_window_positions_by_hand():
    windows = spectrogram_windows(np.zeros(SAMPLE_RATE, np.float32), np.array([0.2]))
    assert windows.columns.shape == (24, 2, 256)
    assert windows.index.tolist() == [list(range(24))]


@pytest.mark.parametrize("fps", [24, 25, 29.97, 30, 60])
def test_an_impulse_lands_in_the_column_of_its_time(fps):
    samples = np.zeros(SAMPLE_RATE, np.float32)
    samples[8000] = 1.0  # at 0.5 s
    times = frame_times(1.0, fps)
    windows = spectrogram_windows(samples, times)
    energy = np.abs(windows.columns).sum((1, 2))[windows.index]
    for frame in np.flatnonzero(np.abs(times - 0.5) < 0.1):
        expected = (0.5 - times[frame]) / 0.010 + (COLUMNS - 1) / 2
        centre = (energy[frame] * np.arange(COLUMNS)).sum() / energy[frame].sum()
        assert centre == pytest.approx(expected, abs=0.6)


def test_neighbouring_windows_share_columns(noise):
    windows = spectrogram_windows(noise, frame_times(1.0, 25))
    assert windows.index.shape == (25, 24)
    assert len(windows.columns) == 24 * 4 + 24  # four new columns a frame at 25 frames a second
    alone = spectrogram_windows(noise, np.array([10 / 25]))
    assert np.array_equal(windows.columns[windows.index[10]], alone.columns[alone.index[0]])


def test_frame_count_is_the_ceiling():
    assert [len(frame_times(d, 25)) for d in (0.04, 0.041, 1.0, 1.001)] == [1, 2, 25, 26]


def test_level_is_brought_to_speech_and_silence_left_silent(noise):
    loud = np.concatenate([noise * 5, np.zeros(SAMPLE_RATE, np.float32)])
    assert np.sqrt(np.mean(normalise_level(loud)[:SAMPLE_RATE] ** 2)) == pytest.approx(SPEECH_RMS, rel=0.02)
    assert np.allclose(normalise_level(loud * 0.01), normalise_level(loud), atol=1e-5)
    faint = noise * 1e-5
    assert np.array_equal(normalise_level(faint), faint)
    assert not normalise_level(np.zeros(1000, np.float32)).any()


def test_snapped_windows_share_a_grid_and_move_at_most_half_a_column():
    samples = np.zeros(SAMPLE_RATE, np.float32)
    samples[8000] = 1.0
    times = frame_times(1.0, 27.3)
    windows = spectrogram_windows(samples, times, snap=True)
    assert len(windows.columns) < 1.1 * 100 + 24
    energy = np.abs(windows.columns).sum((1, 2))[windows.index]
    for frame in np.flatnonzero(np.abs(times - 0.5) < 0.1):
        centre = (energy[frame] * np.arange(COLUMNS)).sum() / energy[frame].sum()
        assert centre == pytest.approx((0.5 - times[frame]) / 0.010 + (COLUMNS - 1) / 2, abs=1.1)
