"""Frames stand upright at their real times, whatever the file; what is no video gives one sentence."""

import itertools

import numpy as np
import pytest

from backend.audio.decode import SAMPLE_RATE, decode_audio
from backend.errors import InputError, UsageError
from backend.video.decode import iterate_frames, open_video
from tests.backend.audio.conftest import sine
from tests.backend.video.conftest import blocks

QUARTERS = {0: (0, 0), 90: (1, 0), 180: (1, 1), 270: (0, 1)}
"""Row and column of the white quarter after turning a picture anti-clockwise, by hand."""


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_rotated_pictures_are_turned_upright(write_video, rotation):
    path = write_video("turned.mp4", [blocks(64, 48)] * 5, np.arange(5) / 25, rotation=rotation)
    info, (_, picture) = open_video(path), next(iter(iterate_frames(path)))
    assert info.rotation == rotation
    assert picture.shape[:2] == (info.height, info.width) == ((48, 64) if rotation % 180 == 0 else (64, 48))
    halves = [np.array_split(half, 2, axis=1) for half in np.array_split(picture, 2)]
    brightness = np.array([[part.mean() for part in half] for half in halves])
    assert np.unravel_index(brightness.argmax(), (2, 2)) == QUARTERS[rotation]


def test_a_vertical_phone_video_is_higher_than_wide(write_video):
    path = write_video("phone.mov", [blocks(1920, 1080)] * 3, np.arange(3) / 30, rotation=-90)
    info = open_video(path)
    assert (info.width, info.height, info.rotation) == (1080, 1920, 270)
    assert all(image.shape == (1920, 1080, 3) for _, image in iterate_frames(path))


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts", "mov"])
def test_first_picture_is_at_zero_in_every_container(write_video, ending):
    path = write_video(f"even.{ending}", [blocks(32, 32)] * 10, np.arange(10) / 25)
    times = [time for time, _ in iterate_frames(path)]
    assert np.allclose(times, np.arange(10) / 25, atol=2e-3)  # Matroska counts milliseconds


def test_variable_rate_keeps_its_time_stamps(write_video):
    true = np.cumsum([0, 0.04, 0.04, 0.2, 0.02, 0.1, 0.033])
    path = write_video("variable.mkv", [blocks(32, 32)] * 7, true)
    assert np.allclose([time for time, _ in iterate_frames(path)], true, atol=2e-3)


def test_of_two_pictures_at_one_time_the_first_is_shown(write_video):
    pictures = [np.full((32, 32, 3), 50 * number, np.uint8) for number in range(5)]
    path = write_video("twice.mkv", pictures, [0, 0.04, 0.08, 0.0804, 0.12])  # Matroska counts milliseconds
    times, shown = zip(*iterate_frames(path), strict=True)
    assert times == pytest.approx([0, 0.04, 0.08, 0.12])
    assert [picture.mean() for picture in shown] == pytest.approx([0, 50, 100, 200], abs=4)


def test_sixty_frames_a_second(write_video):
    path = write_video("fast.mp4", [blocks(32, 32)] * 60, np.arange(60) / 60)
    info = open_video(path)
    assert info.fps == pytest.approx(60, rel=0.03)  # the last frame's length is the container's guess
    assert len(list(iterate_frames(path))) == info.frames == 60


@pytest.mark.parametrize("ending", ["ts", "mkv", "mp4"])
@pytest.mark.parametrize("lag", [0.5, -0.3])
def test_sound_and_picture_share_their_zero(write_video, ending, lag):
    """A click `lag` seconds into the picture's time line and a flash at 1 s, read by both decoders."""
    pictures = [np.full((32, 32, 3), 255 if index == 25 else 20, np.uint8) for index in range(50)]
    sound = np.zeros(SAMPLE_RATE)
    sound[SAMPLE_RATE // 2 : SAMPLE_RATE // 2 + 40] = 0.9
    path = write_video(f"late.{ending}", pictures, np.arange(50) / 25 + max(0, -lag), sound, max(0, lag))
    times, brightness = zip(*((time, image.mean()) for time, image in iterate_frames(path)), strict=True)
    flash = times[int(np.argmax(brightness))]
    click = np.abs(decode_audio(path)).argmax() / SAMPLE_RATE
    assert click - flash == pytest.approx(lag - 0.5, abs=0.03)


def test_sound_longer_than_picture_and_no_sound(write_video):
    path = write_video("long.mp4", [blocks(32, 32)] * 10, np.arange(10) / 25, sine(300, 3, SAMPLE_RATE))
    assert open_video(path).has_audio
    assert len(list(iterate_frames(path))) == 10
    assert len(decode_audio(path)) / SAMPLE_RATE == pytest.approx(3, abs=0.1)
    silent = write_video("silent.mp4", [blocks(32, 32)] * 10, np.arange(10) / 25)
    assert not open_video(silent).has_audio
    with pytest.raises(InputError, match="no sound track"):
        decode_audio(silent)


def test_one_pixel_and_4k(write_video):
    path = write_video("dot.mkv", [np.full((1, 1, 3), 128, np.uint8)] * 5, np.arange(5) / 25, codec="ffv1")
    assert [image.shape for _, image in iterate_frames(path)] == [(1, 1, 3)] * 5
    path = write_video("large.mp4", [blocks(3840, 2160)] * 2, np.arange(2) / 25)
    assert next(iter(iterate_frames(path)))[1].shape == (2160, 3840, 3)


def test_a_truncated_file_says_how_far_it_could_be_read(write_video):
    noise = np.random.default_rng(0).integers(0, 255, (50, 64, 64, 3), dtype=np.uint8)
    path = write_video("whole.mkv", noise, np.arange(50) / 25)
    data = path.read_bytes()
    half = path.with_name("half.mkv")
    half.write_bytes(data[: len(data) // 2])
    frames = iterate_frames(half)
    assert 5 < len(list(frames)) < 45
    assert frames.warning is None or "ends early" in frames.warning  # Matroska need not state its frames
    movie = write_video("whole.mp4", noise, np.arange(50) / 25)
    half.write_bytes(movie.read_bytes()[: movie.stat().st_size // 2])
    with pytest.raises(InputError, match=r"half.mkv .* (cannot|can) be read"):
        open_video(half)


def test_damage_inside_an_mp4_is_reported(write_video):
    noise = np.random.default_rng(0).integers(0, 255, (50, 64, 64, 3), dtype=np.uint8)
    path = write_video("hurt.mp4", noise, np.arange(50) / 25)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) * 3 // 4] = bytes(len(data) * 3 // 4 - len(data) // 2)
    path.write_bytes(data)
    frames = iterate_frames(path)
    count = len(list(frames))
    assert count < 50
    assert frames.warning is not None
    assert f"{count} of 50 frames" in frames.warning


def test_what_is_no_video_gets_a_sentence(tmp_path, write_video):
    text = tmp_path / "text.mp4"
    text.write_text("this is no video")
    empty = tmp_path / "empty.mp4"
    empty.write_bytes(b"")
    for path in (text, empty):
        with pytest.raises(InputError, match="is not a video that can be read"):
            open_video(path)
    for path, words in ((tmp_path / "none.mp4", "does not exist"), (tmp_path, "is a folder")):
        with pytest.raises(UsageError, match=words):
            open_video(path)


def test_a_video_stream_without_frames_gets_a_sentence(write_video):
    path = write_video("stub.mkv", [blocks(32, 32)], [0.0])
    data = path.read_bytes()
    cluster = data.index(bytes.fromhex("1f43b675"))  # the Matroska element that holds the pictures
    path.write_bytes(data[:cluster])
    for call in (open_video, lambda path: list(iterate_frames(path))):
        with pytest.raises(InputError, match=r"without a single decodable frame|cannot|can be read"):
            call(path)


def test_frames_are_read_one_at_a_time(write_video):
    path = write_video("stream.mp4", [blocks(32, 32)] * 30, np.arange(30) / 25)
    frames = iterate_frames(path)
    assert len(list(itertools.islice(frames, 3))) == 3
    assert len(list(frames)) == 30  # and again from the start
