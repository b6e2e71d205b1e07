"""The whole way on real input: recorded speech the actor was not trained on, in; an animated face, out."""

import itertools
import json

import av
import numpy as np
import pytest
import soundfile

from backend.animation_file import load_animation
from backend.audio.decode import SAMPLE_RATE, decode_audio
from backend.evaluation.metrics import correlation, lip_gap
from tests.end_to_end.conftest import SAMPLE, run_command

FPS = 25


def loudness(frames: int) -> np.ndarray:
    """Level of the sample in each frame, (frames,), smoothed over 0.2 s."""
    samples = np.pad(decode_audio(SAMPLE), (0, SAMPLE_RATE))
    level = np.sqrt(np.mean(samples[: frames * 640].reshape(frames, 640).astype(np.float64) ** 2, axis=1))
    return np.convolve(level, np.ones(5) / 5, "same")


def test_the_animation_lasts_as_long_as_the_sound(animated):
    animation = load_animation(animated / "animation")
    assert len(animation.offsets) == int(np.ceil(soundfile.info(SAMPLE).duration * FPS))
    crops = sorted((animated / "animation" / "atlas").glob("*.png"))
    assert [path.name for path in crops[:2]] == ["0001.png", "0002.png"]
    assert len(crops) == len(animation.offsets)
    assert json.loads(animation.provenance)["synthetic"] is True
    assert len((animated / "weights.csv").read_text().splitlines()) == len(animation.offsets) + 1


def test_speech_it_never_heard_opens_and_closes_the_mouth(animated):
    animation = load_animation(animated / "animation")
    gap = lip_gap(animation.vertices)
    assert correlation(gap, loudness(len(gap))) > 0.3
    assert np.percentile(gap, 95) > 0.08  # 7 mm between the lips
    assert np.percentile(gap, 5) < 0.35 * np.percentile(gap, 95)
    jaw = animation.weights[:, animation.weight_names.index("jawOpen")]
    assert correlation(jaw, gap) > 0.7
    assert animation.weights.min() >= 0
    assert animation.weights.max() <= 1


def test_the_texture_changes_with_the_speech(animated):
    from PIL import Image

    crops = [np.asarray(Image.open(path)).astype(float) for path in sorted((animated / "animation/atlas").glob("*"))]
    change = np.mean([np.abs(a - b).mean() for a, b in itertools.pairwise(crops)])
    assert change > 0.3  # of 255 intensity levels, over the whole crop


def test_digital_silence_keeps_the_mouth_shut_and_still(tmp_path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(4 * SAMPLE_RATE), SAMPLE_RATE)
    done = run_command("animate", tmp_path / "silence.wav", "--actor", "default", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    vertices = load_animation(tmp_path / "out").vertices
    assert np.abs(np.diff(vertices, axis=0)).max() < 1e-4
    assert lip_gap(vertices).max() < 0.03  # 2.7 mm; the reference's closed lips are about 1 mm apart


def test_intensity_and_frame_rate(animated, tmp_path):
    done = run_command(
        "animate",
        SAMPLE,
        "--actor",
        "default",
        "--no-texture",
        "--fps",
        30,
        "--intensity",
        0.5,
        "--out",
        tmp_path / "o",
    )
    assert done.returncode == 0, done.stderr
    half, full = load_animation(tmp_path / "o"), load_animation(animated / "animation")
    assert half.fps == 30
    assert not (tmp_path / "o" / "atlas").exists()
    times = np.arange(len(full.offsets)) / FPS
    resampled = np.interp(times, np.arange(len(half.offsets)) / 30, lip_gap(half.vertices))
    assert correlation(resampled, lip_gap(full.vertices)) > 0.97
    assert np.ptp(resampled) == pytest.approx(0.5 * np.ptp(lip_gap(full.vertices)), rel=0.2)


@pytest.mark.blender
def test_picture_and_sound_of_the_video_last_equally_long(filmed):
    with av.open(str(filmed / "shot.mp4")) as video:
        frames = sum(1 for _ in video.decode(video=0))
        assert video.streams.video[0].average_rate == FPS
        assert json.loads(video.metadata["comment"])["synthetic"] is True
    with av.open(str(filmed / "shot.mp4")) as video:
        sound = [frame.to_ndarray().mean(0) for frame in video.decode(audio=0)]
        rate = video.streams.audio[0].rate
    assert frames == len(load_animation(filmed / "animation").offsets)
    assert sum(map(len, sound)) / rate == pytest.approx(frames / FPS, abs=1 / FPS)
    original, rendered = decode_audio(SAMPLE), decode_audio(filmed / "shot.mp4")
    length = len(original)
    lag = np.argmax(np.correlate(np.pad(rendered[: length + 800], 800), original, "valid")) - 800
    assert abs(lag) < 0.01 * SAMPLE_RATE  # nothing cut, nothing late


@pytest.mark.blender
def test_a_face_tracker_sees_a_face_whose_lips_follow_the_prediction(filmed):
    pytest.importorskip("mediapipe")
    from backend.tracking.landmarks import track
    from backend.video.decode import iterate_frames

    seen = track(iterate_frames(filmed / "shot.mp4"))
    assert seen.found.mean() >= 0.98
    predicted = lip_gap(load_animation(filmed / "animation").vertices)
    eyes = np.linalg.norm(seen.landmarks[:, 33] - seen.landmarks[:, 263], axis=1)
    tracked = np.linalg.norm(seen.landmarks[:, 13] - seen.landmarks[:, 14], axis=1) / eyes
    assert correlation(tracked[seen.found], predicted[seen.found]) >= 0.9
