"""Offsets are taken off; sound without one, and digital silence, stay as they are."""

import numpy as np
import pytest

from backend.audio.decode import SAMPLE_RATE, decode_audio
from backend.audio.zero_line import RunningOffset, remove_offset
from tests.backend.audio.conftest import sine


@pytest.fixture
def voice() -> np.ndarray:
    """Two seconds of a tone that swells and falls: (n,) float32 with a mean of zero."""
    return (sine(200, 2.0, SAMPLE_RATE) * sine(0.5, 2.0, SAMPLE_RATE)).astype(np.float32)


@pytest.mark.parametrize("offset", [0.03, -0.1, 0.3])
@pytest.mark.parametrize("scale", [1.0, 0.1])
def test_an_offset_is_taken_off(voice, offset, scale):
    samples = (scale * voice + offset).astype(np.float32)
    remove_offset(samples)
    assert np.allclose(samples, scale * voice, atol=1e-6)


def test_digital_silence_about_the_sound_stays_silent(voice):
    silence = np.zeros(SAMPLE_RATE, np.float32)
    samples = np.concatenate([silence, voice + 0.1, silence, voice + 0.1]).astype(np.float32)
    remove_offset(samples)
    assert np.allclose(samples, np.concatenate([silence, voice, silence, voice]), atol=1e-6)


def test_what_is_hardly_heard_stays(voice):
    samples = voice + np.float32(0.02 * voice.std())
    before = samples.copy()
    remove_offset(samples)
    assert np.array_equal(samples, before)


def test_silence_stays_and_an_offset_alone_becomes_silence():
    for level in (0.0, 0.1):
        samples = np.full(SAMPLE_RATE, level, np.float32)
        remove_offset(samples)
        assert np.abs(samples).max() < 1e-6


def test_a_file_is_decoded_without_its_offset(write_sound, voice):
    decoded = decode_audio(write_sound("offset.wav", (voice + 0.1)[None], SAMPLE_RATE))
    assert np.allclose(decoded, voice, atol=1e-5)


def test_live_sound_loses_its_offset_within_a_second_however_it_is_cut(voice):
    long = np.tile(voice, 5)
    whole, pieces = RunningOffset(), RunningOffset()
    heard = whole.feed(long + np.float32(0.1))
    assert np.abs(heard[-SAMPLE_RATE:] - long[-SAMPLE_RATE:]).max() < 0.01
    assert abs(heard[SAMPLE_RATE:].mean()) < 0.01
    cuts = np.sort(np.random.default_rng(0).integers(0, len(long), 300))
    cut = np.concatenate([pieces.feed(part) for part in np.split(long + np.float32(0.1), cuts)])
    assert np.allclose(cut, heard, atol=1e-6)


def test_live_sound_without_an_offset_stays():
    noise = np.random.default_rng(0).standard_normal(5 * SAMPLE_RATE).astype(np.float32) * 0.1
    assert np.array_equal(RunningOffset().feed(noise), noise)
