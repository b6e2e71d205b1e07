"""Every kind of sound file gives the same samples; what is not sound gives one sentence."""

import numpy as np
import pytest

from backend.audio.decode import SAMPLE_RATE, decode_audio
from backend.errors import InputError, UsageError
from tests.backend.audio.conftest import sine


@pytest.mark.parametrize("ending", [".wav", ".flac", ".ogg", ".mp3", ".m4a"])
def test_formats_agree_with_the_sine_they_hold(write_sound, ending):
    samples = decode_audio(write_sound("tone" + ending, sine(440, 1.0, 44_100)[None], 44_100))
    assert abs(len(samples) - SAMPLE_RATE) < 0.06 * SAMPLE_RATE  # lossy codecs pad to whole packets
    middle = samples[4000:12000].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert abs(np.argmax(spectrum) * SAMPLE_RATE / len(middle) - 440) < 2
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.08)  # lossy codecs lose a little


def test_lossless_sound_is_exact_at_16_khz(write_sound):
    true = sine(300, 0.5, SAMPLE_RATE)
    assert np.allclose(decode_audio(write_sound("tone.wav", true[None], SAMPLE_RATE)), true, atol=1e-6)


def test_codec_delay_is_taken_off(write_sound):
    click = np.zeros(44_100)
    click[22_050:22_060] = 0.9
    for ending in (".mp3", ".m4a", ".ogg"):
        samples = decode_audio(write_sound("click" + ending, click[None], 44_100))
        assert np.argmax(np.abs(samples)) / SAMPLE_RATE == pytest.approx(0.5, abs=0.003), ending


def test_six_channels_at_96_khz_are_mixed(write_sound):
    channels = np.tile(sine(200, 0.5, 96_000), (6, 1))
    samples = decode_audio(write_sound("wide.wav", channels, 96_000, "5.1"))
    assert len(samples) == pytest.approx(SAMPLE_RATE / 2, abs=32)
    assert np.abs(samples).max() > 0.1


def test_not_a_number_is_refused_with_its_place(write_sound):
    samples = sine(200, 1.0, SAMPLE_RATE)
    samples[8000] = np.nan
    with pytest.raises(InputError, match=r"not numbers.*0\.500 s"):
        decode_audio(write_sound("bad.wav", samples[None], SAMPLE_RATE))


def test_too_short(write_sound):
    with pytest.raises(InputError, match=r"0\.05 s of sound; at least 0\.1"):
        decode_audio(write_sound("short.wav", sine(200, 0.05, SAMPLE_RATE)[None], SAMPLE_RATE))


def test_missing_folder_empty_and_text(tmp_path):
    with pytest.raises(UsageError, match="no file"):
        decode_audio(tmp_path / "none.wav")
    with pytest.raises(UsageError, match="is a folder"):
        decode_audio(tmp_path)
    empty = tmp_path / "empty.wav"
    empty.touch()
    with pytest.raises(InputError, match="is empty"):
        decode_audio(empty)
    text = tmp_path / "text.wav"
    text.write_text("this is not sound\n" * 100)
    with pytest.raises(InputError, match="cannot be decoded"):
        decode_audio(text)
