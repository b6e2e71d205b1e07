"""Sounds for live use, without Blender's audio library: level, length and pitch stay, what is no sound is told."""

import sys
import wave

import numpy as np
import pytest
from scipy.signal import resample as scipy_resample

from blender_addon.errors import AnimationError
from blender_addon.sound_reading import RATE, read_sound, resample


@pytest.fixture(autouse=True)
def _without_audaspace(monkeypatch):
    monkeypatch.setitem(sys.modules, "aud", None)


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
def test_a_tone_stays_what_it_is(rate):
    times = np.arange(rate) / rate
    tone = 0.5 * np.sin(2 * np.pi * 440 * times)
    heard = resample(tone, rate)
    assert len(heard) == RATE
    np.testing.assert_allclose(heard, 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE), atol=1e-6)


def test_it_agrees_with_scipy_on_noise():
    noise = np.random.default_rng(0).standard_normal(4410)
    np.testing.assert_allclose(resample(noise, 44100), scipy_resample(noise, 1600), atol=0.02)


def test_a_wav_file_is_mixed_down(tmp_path):
    path = tmp_path / "two.wav"
    left, right = np.full(4800, 8000), np.full(4800, -4000)
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 48000, 0, "NONE", ""))
        file.writeframes(np.stack([left, right], axis=1).astype("<i2").tobytes())
    heard = read_sound(path)
    assert heard.dtype == np.float32
    assert heard.shape == (1600,)
    np.testing.assert_allclose(heard, 2000 / 32768, atol=1e-6)


def test_what_is_no_sound_is_told(tmp_path):
    for name, content in (("text.wav", b"no sound at all"), ("empty.wav", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(AnimationError, match="WAV files only"):
            read_sound(tmp_path / name)
    with pytest.raises(AnimationError, match="no sound at"):
        read_sound(tmp_path / "gone.wav")
    with wave.open(str(tmp_path / "silent.wav"), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
    with pytest.raises(AnimationError, match="holds no sound"):
        read_sound(tmp_path / "silent.wav")
