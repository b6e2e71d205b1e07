"""Every kind of sound file gives the same samples; what is not sound gives one sentence."""

from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from backend.audio.decode import SAMPLE_RATE, decode_audio
from backend.audio.track import write_sound_track
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


def test_a_name_with_a_colon_is_no_protocol(write_sound, tmp_path, monkeypatch):
    write_sound("tone.wav", sine(300, 0.5, SAMPLE_RATE)[None], SAMPLE_RATE).rename(tmp_path / "take:1.wav")
    monkeypatch.chdir(tmp_path)
    assert len(decode_audio(Path("take:1.wav"))) == SAMPLE_RATE / 2


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


@pytest.mark.filterwarnings("error")
def test_what_is_far_too_loud_for_sound_is_refused_with_its_place(write_sound):
    samples = sine(200, 1.0, SAMPLE_RATE)
    as_integers = decode_audio(write_sound("large.wav", samples[None] * 2.0**31, SAMPLE_RATE))
    assert np.abs(as_integers).max() > 1e8
    for value in (1e20, -1e38):
        samples[8000] = value
        with pytest.raises(InputError, match=r"1 samples that are no sound.*0\.500 s"):
            decode_audio(write_sound("wild.wav", samples[None], SAMPLE_RATE))


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


def noise(seconds: float, rate: int = 44_100) -> np.ndarray:
    """(n,) float64 of RMS 0.1: unlike itself at any other time."""
    return 0.1 * np.random.default_rng(0).standard_normal(round(seconds * rate))


def spoil(path, start: float, count: int) -> None:
    """Overwrite `count` bytes from a share of the file on with random ones."""
    data = bytearray(path.read_bytes())
    place = round(start * len(data))
    data[place : place + count] = np.random.default_rng(1).integers(0, 256, count, dtype=np.uint8).tobytes()
    path.write_bytes(data)


def decode_with_messages(path) -> tuple[np.ndarray, list[str]]:
    messages: list[str] = []
    return decode_audio(path, lambda text, done, total: messages.append(text)), messages


@pytest.mark.parametrize("ending", [".wav", ".flac", ".ogg", ".mp3", ".m4a"])
def test_whole_files_are_decoded_without_a_word(write_sound, ending):
    assert decode_with_messages(write_sound("whole" + ending, noise(4.0)[None], 44_100))[1] == []


@pytest.mark.parametrize("ending", [".flac", ".ogg", ".m4a"])
def test_what_follows_a_damaged_part_stays_in_time(write_sound, ending):
    path = write_sound("sound" + ending, noise(8.0)[None], 44_100)
    whole = decode_audio(path)
    spoil(path, 0.5, 20_000)
    samples, messages = decode_with_messages(path)
    assert abs(len(samples) - len(whole)) < 0.06 * SAMPLE_RATE
    late = slice(7 * SAMPLE_RATE, round(7.8 * SAMPLE_RATE))
    assert np.corrcoef(samples[late], whole[late])[0, 1] > 0.99
    assert len(messages) == 1
    assert "of 8.0 s of sound" in messages[0]
    write_sound_track(path, path.with_suffix(".track.wav"))
    track = decode_audio(path.with_suffix(".track.wav"))
    assert np.corrcoef(track[late], whole[late])[0, 1] > 0.99


def test_an_mp3_goes_on_after_a_damaged_part(write_sound):
    path = write_sound("sound.mp3", noise(8.0)[None], 44_100)
    spoil(path, 0.5, 3000)
    samples, messages = decode_with_messages(path)
    assert 7 < len(samples) / SAMPLE_RATE < 8.1
    assert "of 8.0 s of sound.mp3 could be decoded" in messages[0]


@pytest.mark.parametrize("ending", [".wav", ".flac", ".mp3"])
def test_half_a_file_is_half_the_sound_and_a_warning(write_sound, ending):
    path = write_sound("half" + ending, noise(4.0)[None], 44_100)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    samples, messages = decode_with_messages(path)
    assert 1.5 < len(samples) / SAMPLE_RATE < 2.2
    assert len(messages) == 1
    assert "of 4.0 s of half" in messages[0]


def write_pieces(path: Path, times, codec: str = "pcm_s16le", **options: str) -> Path:
    """Write pieces of a tone that last 0.1 s and begin at these seconds."""
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=SAMPLE_RATE, layout="mono")
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=SAMPLE_RATE)
        for time in times:
            tone = sine(300, 0.1, SAMPLE_RATE)[None].astype(np.float32)
            frame = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
            frame.sample_rate = SAMPLE_RATE
            (frame,) = resampler.resample(frame)
            frame.pts = round(time * SAMPLE_RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_u8"])
def test_a_missing_part_is_silent(tmp_path, codec):
    samples = decode_audio(write_pieces(tmp_path / "gap.mkv", [0.0, 0.1, 1.0, 1.1], codec))
    assert len(samples) == 1.2 * SAMPLE_RATE
    assert np.abs(samples[SAMPLE_RATE // 4 : SAMPLE_RATE * 9 // 10]).max() < 0.02


def test_a_time_stamp_long_after_the_end_is_not_believed(tmp_path):
    path = write_pieces(tmp_path / "jump.mkv", [0.0, 0.1, 9999.0], live="1")  # such a file does not say how long it is
    assert len(decode_audio(path)) == pytest.approx(0.3 * SAMPLE_RATE)


def test_sound_before_time_zero_is_cut(tmp_path):
    path = write_pieces(tmp_path / "early.mkv", [-0.2, -0.1, 0.0, 0.1, 0.2], avoid_negative_ts="disabled")
    assert len(decode_audio(path)) == pytest.approx(0.3 * SAMPLE_RATE)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_of_channels_that_cancel_each_other_out_the_louder_one_is_heard(tmp_path, subtype):
    tone = sine(300, 1.0, SAMPLE_RATE)
    soundfile.write(tmp_path / "inverted.wav", np.stack([0.8 * tone, -tone], axis=1), SAMPLE_RATE, subtype=subtype)
    assert np.allclose(decode_audio(tmp_path / "inverted.wav"), -tone, atol=1e-3)


def test_other_stereo_is_mixed(tmp_path):
    tone, other = sine(300, 1.0, SAMPLE_RATE), sine(470, 1.0, SAMPLE_RATE)
    for right in (tone, other, 0 * tone, -0.3 * tone):
        soundfile.write(tmp_path / "stereo.wav", np.stack([tone, right], axis=1), SAMPLE_RATE, subtype="FLOAT")
        assert np.allclose(decode_audio(tmp_path / "stereo.wav"), (tone + right) / np.sqrt(2), atol=1e-5)
