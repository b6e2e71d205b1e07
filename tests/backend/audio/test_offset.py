"""The lag of sound behind picture, on made-up speech whose loudness follows made-up lips."""

import numpy as np
import pytest

from backend.audio.decode import SAMPLE_RATE, decode_audio
from backend.audio.offset import Clip, estimate_offset, shift_samples
from backend.normalisation.reference import lip_ratio


def talking(seconds: float = 20.0, seed: int = 0) -> Clip:
    """Lips that open in bursts, and noise that is as loud as they are open."""
    rng = np.random.default_rng(seed)
    knots = rng.uniform(0, 1, int(seconds * 5)) ** 2
    samples = np.arange(int(seconds * 16_000)) / 16_000
    times = np.arange(0, seconds, 0.04)
    aperture = np.interp(times, np.arange(len(knots)) / 5, knots)
    loud = np.interp(samples, np.arange(len(knots)) / 5, knots)
    sound = (rng.normal(size=len(samples)) * 10 ** (2 * loud - 3)).astype(np.float32)
    return Clip(times, aperture, sound)


@pytest.mark.parametrize("lag", [-0.16, -0.08, -0.04, 0.0, 0.04, 0.08, 0.16])
def test_a_known_lag_is_recovered_within_a_frame(lag):
    clip = talking()
    late = Clip(clip.times, clip.aperture, shift_samples(clip.samples, -lag))
    offset = estimate_offset([late])
    assert offset.trusted
    assert offset.seconds == pytest.approx(lag, abs=0.035)


@pytest.mark.parametrize("lag", [-0.16, -0.08, 0.0, 0.08, 0.16])
def test_grid_clips_are_recovered_within_a_frame(grid_tracks, lag):
    clips = [
        Clip(clip.track.times, lip_ratio(clip.track.landmarks), shift_samples(clip.samples, -lag))
        for clip in grid_tracks
    ]
    offset = estimate_offset(clips)
    assert offset.correlation > 0.6
    assert offset.seconds == pytest.approx(lag, abs=0.04)


def synthetic_speaker(shared, start: float, seconds: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times, true lip gap and sound of a stretch of the synthetic speaker."""
    with np.load(shared / "actor" / "truth.npz", allow_pickle=True) as truth:
        gap = truth["lip_gap_m"]
    first, count = round(start * 25), round(seconds * 25)
    samples = decode_audio(shared / "actor" / "audio_16k.wav")
    sound = samples[round(start * SAMPLE_RATE) : round((start + seconds) * SAMPLE_RATE)]
    return np.arange(count) / 25, gap[first : first + count].astype(np.float64), sound


@pytest.mark.parametrize("lag", [-0.16, -0.04, 0.0, 0.04, 0.16])
@pytest.mark.parametrize("start", [0, 60, 110])
def test_the_synthetic_speaker_is_recovered_within_half_a_frame(shared, start, lag):
    times, gap, sound = synthetic_speaker(shared, start, 35)
    offset = estimate_offset([Clip(times, gap, shift_samples(sound, -lag))])
    assert offset.trusted
    assert offset.seconds == pytest.approx(lag, abs=0.02)


def test_another_stretch_of_the_same_voice_is_not_trusted(shared):
    times, gap, _ = synthetic_speaker(shared, 0, 35)
    for start in (40, 80, 110):
        assert not estimate_offset([Clip(times, gap, synthetic_speaker(shared, start, 35)[2])]).trusted


@pytest.mark.parametrize("lag", [-1.2, -0.31, 0.29, 0.5])
def test_a_far_lag_is_found_and_not_taken_for_the_edge_of_a_search(shared, lag):
    times, gap, sound = synthetic_speaker(shared, 0, 35)
    offset = estimate_offset([Clip(times, gap, shift_samples(sound, -lag))])
    assert offset.trusted
    assert offset.seconds == pytest.approx(lag, abs=0.03)


def test_a_lag_beyond_the_search_is_not_made_up(shared):
    times, gap, sound = synthetic_speaker(shared, 0, 35)
    assert not estimate_offset([Clip(times, gap, shift_samples(sound, -2.5))]).trusted


def test_foreign_sound_is_not_trusted():
    lips, voice = talking(seed=1), talking(seed=2)
    assert not estimate_offset([Clip(lips.times, lips.aperture, voice.samples)]).trusted


def test_gaps_and_silence_are_survived():
    clip = talking()
    gappy = clip.aperture.copy()
    gappy[100:150] = np.nan
    assert estimate_offset([Clip(clip.times, gappy, clip.samples)]).trusted
    assert not estimate_offset([Clip(clip.times, clip.aperture, np.zeros_like(clip.samples))]).trusted


def test_shifting_keeps_the_length_and_lets_silence_in():
    samples = np.arange(1, 6, dtype=np.float32)
    np.testing.assert_array_equal(shift_samples(samples, 2, rate=1), [3, 4, 5, 0, 0])
    np.testing.assert_array_equal(shift_samples(samples, -2, rate=1), [0, 0, 1, 2, 3])
    np.testing.assert_array_equal(shift_samples(samples, 9, rate=1), np.zeros(5))
