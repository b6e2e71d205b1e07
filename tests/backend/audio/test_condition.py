"""Clipping, noise and music are told apart, on the synthetic speaker's voice and on real ones."""

import numpy as np
import pytest

from backend.audio.condition import examine_sound
from backend.audio.decode import SAMPLE_RATE, decode_audio
from backend.training.quality_figures import MUSIC_TONALITY


@pytest.fixture(scope="module")
def voice(shared) -> np.ndarray:
    return decode_audio(shared / "actor" / "audio_16k.wav")[: 30 * SAMPLE_RATE].astype(np.float64)


def under(voice: np.ndarray, sound: np.ndarray, decibels: float) -> np.ndarray:
    """The voice with a sound whose power lies that far below it."""
    scale = np.sqrt((voice**2).mean() / (sound**2).mean()) * 10 ** (-decibels / 20)
    return (voice + scale * sound).astype(np.float32)


def chords(count: int) -> np.ndarray:
    """Two chords a second, with the first partials of each note."""
    time = np.arange(count) / SAMPLE_RATE
    root = 220 * 2.0 ** (np.floor(time * 2) % 5 * 2 / 12)
    notes = [
        np.sin(2 * np.pi * root * interval * time) / number for number, interval in enumerate((1, 1.25, 1.5, 2), 1)
    ]
    return np.sum(notes, axis=0)


def test_clean_voices_are_clean(shared, voice, grid_tracks):
    reader = [decode_audio(path) for path in sorted((shared / "speech" / "ljspeech").rglob("*.flac"))]
    for sound in (voice, np.concatenate(reader), np.concatenate([clip.samples for clip in grid_tracks])):
        condition = examine_sound(np.asarray(sound, np.float32))
        assert condition.clipping < 0.001
        assert condition.background_db > 30
        assert condition.tonality < MUSIC_TONALITY
        assert condition.speech > 0.4


@pytest.mark.parametrize(("gain", "share"), [(2, 0.002), (4, 0.02)])
def test_a_voice_driven_over_the_ceiling_is_clipped(voice, gain, share):
    clipped = np.clip(voice * gain / np.abs(voice).max(), -1, 1).astype(np.float32)
    assert examine_sound(clipped).clipping > share
    assert examine_sound(0.3 * clipped).clipping > share  # turning it down afterwards hides nothing


@pytest.mark.parametrize("decibels", [20, 10, 5])
def test_noise_is_measured_and_is_not_music(voice, decibels):
    noise = np.random.default_rng(0).normal(size=len(voice))
    condition = examine_sound(under(voice, noise, decibels))
    assert condition.background_db == pytest.approx(decibels + 5, abs=4)  # the voice's peaks lie above its mean
    assert condition.tonality < MUSIC_TONALITY


@pytest.mark.parametrize("decibels", [20, 10])
def test_music_is_told_from_noise(voice, decibels):
    assert examine_sound(under(voice, chords(len(voice)), decibels)).tonality > MUSIC_TONALITY


def test_silence_and_scraps_give_numbers():
    for count in (0, 10, 3000):
        assert examine_sound(np.zeros(count, np.float32)).speech == 0
    assert np.isfinite(examine_sound(np.full(500, 0.1, np.float32)).background_db)
