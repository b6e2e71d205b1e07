"""The level of a stream: it nears that of the recording, and does not depend on how the sound was cut."""

import numpy as np
import pytest

from backend.audio.decode import SAMPLE_RATE
from backend.audio.running_level import MOST_GAIN, RunningLevel
from backend.audio.spectrogram import level_gain


@pytest.fixture
def speech() -> np.ndarray:
    """Noise in syllables of 0.2 s with pauses, and a room 50 dB below."""
    rng = np.random.default_rng(0)
    envelope = np.repeat(rng.choice([0.003, 0.5, 1.0], 300), SAMPLE_RATE // 5)
    return (rng.standard_normal(len(envelope)) * envelope * 0.1).astype(np.float32)


@pytest.mark.parametrize("loudness", [0.1, 1.0, 4.0])
def test_nears_the_level_of_the_whole_recording(speech, loudness):
    level = RunningLevel()
    level.feed(speech * np.float32(loudness))
    gain = level.gains(np.array([len(speech)]))[0]
    assert 20 * abs(np.log10(gain / level_gain(speech * loudness))) < 1.5


def test_chunks_do_not_matter(speech):
    whole, pieces = RunningLevel(), RunningLevel()
    whole.feed(speech)
    rng = np.random.default_rng(1)
    cuts = np.sort(rng.integers(0, len(speech), 200))
    for chunk in np.split(speech, cuts):
        pieces.feed(chunk)
    positions = rng.integers(0, len(speech), 500)
    assert np.array_equal(whole.gains(positions), pieces.gains(positions))


def test_a_gain_depends_on_the_past_alone(speech):
    louder = speech.copy()
    louder[SAMPLE_RATE * 5 :] *= 10
    first, second = RunningLevel(), RunningLevel()
    first.feed(speech)
    second.feed(louder)
    before = np.arange(0, 5 * SAMPLE_RATE, 100)
    assert np.array_equal(first.gains(before), second.gains(before))


def test_a_sound_that_fades_away_is_raised_so_far_only():
    noise, level = np.random.default_rng(0).standard_normal(30 * SAMPLE_RATE), RunningLevel()
    for loudness in (0.002, 0.001):
        level.feed((noise * loudness).astype(np.float32))
    assert level.gains(np.array([60 * SAMPLE_RATE]))[0] == MOST_GAIN


def test_silence_leaves_the_gain_alone(speech):
    level = RunningLevel()
    level.feed(speech[: 10 * SAMPLE_RATE])
    before = level.gains(np.array([10 * SAMPLE_RATE]))[0]
    level.feed(np.random.default_rng(0).standard_normal(600 * SAMPLE_RATE // 10).astype(np.float32) * 1e-4)
    assert level.gains(np.array([70 * SAMPLE_RATE]))[0] == before


def test_forgotten_gains_leave_the_others_as_they_were(speech):
    level = RunningLevel()
    level.feed(speech)
    late = np.arange(20 * SAMPLE_RATE, 30 * SAMPLE_RATE, 777)
    before = level.gains(late)
    level.forget(20 * SAMPLE_RATE)
    assert np.array_equal(level.gains(late), before)
