"""Written videos play as long as they should, with nothing of the sound missing."""

from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation

from backend.video.decode import iterate_frames, open_video
from backend.video.encode import encode_video


def pictures(count: int):
    for number in range(count):
        yield np.full((64, 96, 3), number * 200 // count, np.uint8)


@pytest.mark.parametrize("fps", [24.0, 25.0, 29.97, 60.0])
@pytest.mark.parametrize("sound_seconds", [1.0, 2.0, 3.0])
def test_picture_and_sound_last_equally_long(tmp_path, fps, sound_seconds):
    count = round(2 * fps)
    soundfile.write(tmp_path / "s.wav", np.zeros((int(22_050 * sound_seconds), 1)), 22_050)
    encode_video(pictures(count), count, fps, tmp_path / "s.wav", tmp_path / "v.mp4", {"comment": "synthetic"})
    with av.open(str(tmp_path / "v.mp4")) as video:
        shown = [frame.time for frame in video.decode(video=0)]
        assert video.metadata["comment"] == "synthetic"
    with av.open(str(tmp_path / "v.mp4")) as video:
        heard = sum(frame.samples for frame in video.decode(audio=0)) / 48_000
    assert shown == pytest.approx(np.arange(count) / fps, abs=1e-3)
    assert heard == pytest.approx(count / fps, abs=1 / fps)


@pytest.mark.parametrize("start", [0.0, 0.0625])
def test_sound_stays_in_time_to_its_last_packet(tmp_path, start):
    samples = np.zeros(44_100)
    samples[4410:4420] = samples[-700:-690] = 0.9
    soundfile.write(tmp_path / "s.wav", samples, 44_100)
    encode_video(pictures(30), 30, 25.0, tmp_path / "s.wav", tmp_path / "v.mp4", {}, start=start)
    with av.open(str(tmp_path / "v.mp4")) as video:
        frames = list(video.decode(audio=0))
        sound = np.concatenate([np.abs(frame.to_ndarray()).max(0) for frame in frames])
    clicks = np.flatnonzero(sound > 0.1) / 48_000 + frames[0].time
    assert clicks.min() == pytest.approx(0.1 - start, abs=0.005)
    assert clicks.max() == pytest.approx(1 - 700 / 44_100 - start, abs=0.005)


def test_names_with_colons_are_no_protocols(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    soundfile.write("s:1.wav", np.zeros(22_050), 22_050)
    encode_video(pictures(5), 5, 25.0, Path("s:1.wav"), Path("v:1.mp4"), {})
    assert open_video(Path("v:1.mp4")).frames == 5
    assert len(list(iterate_frames(Path("v:1.mp4")))) == 5


def test_colours_survive(tmp_path):
    encode_video(pictures(10), 10, 25.0, None, tmp_path / "v.mp4", {})
    with av.open(str(tmp_path / "v.mp4")) as video:
        means = [frame.to_ndarray(format="rgb24").mean() for frame in video.decode(video=0)]
        assert not video.streams.audio
    assert means == pytest.approx([20 * number for number in range(10)], abs=4)


def test_colours_are_tagged_and_come_back(tmp_path):
    colours = [(205, 150, 125), (170, 80, 80), (60, 40, 90), (30, 200, 90), (0, 0, 255), (255, 255, 255), (0, 0, 0)]
    flat = [np.full((64, 64, 3), colour, np.uint8) for colour in colours for _ in range(3)]
    encode_video(flat, len(flat), 25.0, None, tmp_path / "v.mp4", {})
    exact = Interpolation.BILINEAR | Interpolation.ACCURATE_RND  # and planes: the quick ways round colours down
    with av.open(str(tmp_path / "v.mp4")) as video:
        codec = video.streams.video[0].codec_context
        shown = [frame.to_ndarray(format="gbrp", interpolation=exact) for frame in video.decode(video=0)]
    assert (codec.colorspace, codec.color_range) == (Colorspace.ITU709, ColorRange.MPEG)
    assert (codec.color_primaries, codec.color_trc) == (ColorPrimaries.BT709, ColorTrc.BT709)
    for picture, wanted in zip(shown, flat, strict=True):
        np.testing.assert_allclose(picture.astype(int), wanted, atol=1.5)
