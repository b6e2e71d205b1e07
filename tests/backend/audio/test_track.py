"""The sound for Blender keeps its rate, its channels and its time."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from backend.audio.track import write_sound_track
from tests.backend.audio.conftest import sine


def test_lossless_stereo_is_kept(write_sound, tmp_path):
    samples = np.stack([sine(300, 0.5, 44_100), sine(500, 0.5, 44_100)])
    write_sound_track(write_sound("in.wav", samples, 44_100, "stereo"), tmp_path / "out.wav")
    copy, rate = soundfile.read(tmp_path / "out.wav")
    assert rate == 44_100
    assert np.allclose(copy.T, samples, atol=1e-4)


def test_a_name_with_a_colon_is_no_protocol(write_sound, tmp_path, monkeypatch):
    write_sound("in.wav", sine(300, 0.5, 16_000)[None], 16_000).rename(tmp_path / "take:1.wav")
    monkeypatch.chdir(tmp_path)
    write_sound_track(Path("take:1.wav"), Path("out:1.wav"))
    assert soundfile.info(tmp_path / "out:1.wav").frames == 8_000


@pytest.mark.parametrize("ending", [".mp3", ".m4a"])
def test_codec_delay_is_taken_off(write_sound, tmp_path, ending):
    click = np.zeros(44_100)
    click[22_050:22_060] = 0.9
    write_sound_track(write_sound("in" + ending, click[None], 44_100), tmp_path / "out.wav")
    copy, rate = soundfile.read(tmp_path / "out.wav")
    assert np.argmax(np.abs(copy)) / rate == pytest.approx(0.5, abs=0.003)
