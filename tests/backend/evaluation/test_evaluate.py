"""The shipped actor on a stretch of its own speaker's video, through the command."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from backend.__main__ import main
from backend.actor_file import load_whole_actor
from backend.actor_library import find_actor
from backend.audio.decode import SAMPLE_RATE, decode_audio
from backend.evaluation.evaluate import ClipResult, evaluate, frame_rows, texture_flicker
from backend.evaluation.metrics import correlation
from backend.trust.provenance import file_sha256
from backend.video.decode import iterate_frames
from backend.video.encode import encode_video

KEYS = (
    "aperture_r", "aperture_offset_ms", "lip_error_mm", "closure_recall", "silence_motion", "lmd_px", "ssim_atlas",
    "psnr_atlas", "ssim_mouth", "ssim_mouth_mean_texture", "psnr_mouth", "cpbd_mouth", "cpbd_mouth_true",
)  # fmt: skip


@pytest.fixture(scope="module")
def clip(shared, tmp_path_factory):
    """Seconds 142 to 148: among the frames that the shipped actor was not trained on."""
    video = shared / "actor/actor.mp4"
    folder = tmp_path_factory.mktemp("evaluate")
    samples = decode_audio(video)[142 * SAMPLE_RATE : 148 * SAMPLE_RATE]
    soundfile.write(folder / "sound.wav", samples, SAMPLE_RATE)
    frames = [image for time, image in iterate_frames(video) if 142 <= time < 148]
    encode_video(iter(frames), len(frames), 25, folder / "sound.wav", folder / "clip.mp4", {})
    return folder / "clip.mp4"


def test_figures_table_json_and_video(clip, tmp_path, capsys):
    out = tmp_path / "figures.json"
    assert main(["evaluate", "default", str(clip), "--json", str(out), "--video", str(tmp_path / "side.mp4")]) == 0
    figures = json.loads(out.read_text())
    assert set(KEYS) <= set(figures)
    assert figures["frames"] == 150
    picture = next(image for _, image in iterate_frames(clip))
    assert (figures["frame_height"], figures["frame_width"]) == picture.shape[:2]
    assert figures["aperture_r"] > 0.7
    assert abs(figures["aperture_offset_ms"]) <= 40
    assert figures["lip_error_mm"] < 5
    assert figures["ssim_mouth"] > figures["ssim_mouth_mean_texture"]
    assert "aperture_r" in capsys.readouterr().out
    pictures = [image for _, image in iterate_frames(tmp_path / "side.mp4")]
    assert len(pictures) == 150
    half = pictures[0].shape[1] // 2
    assert np.abs(pictures[75][:, :half].astype(int) - pictures[75][:, half:]).mean() < 5  # the mouth alone differs


def test_the_video_begins_where_training_ended_with_the_sound_of_that_moment(clip, tmp_path):
    actor = load_whole_actor(find_actor("default"))
    trained = {file_sha256(clip): 2.5}
    evaluate(
        replace(actor, description=actor.description | {"trained_until": trained}),
        [clip],
        video_out=tmp_path / "side.mp4",
    )
    assert len(list(iterate_frames(tmp_path / "side.mp4"))) == 74
    sound, whole = decode_audio(tmp_path / "side.mp4"), decode_audio(clip)
    part = whole[round(3.04 * SAMPLE_RATE) :][: len(sound)]
    assert correlation(sound[: len(part)], part) > 0.95


def test_a_video_without_a_face(capsys, write_video):
    grey = [np.full((128, 128, 3), 120, np.uint8)] * 50
    video = write_video("grey.mp4", grey, np.arange(50) / 25, np.zeros(32000, np.float32))
    assert main(["evaluate", "default", str(video)]) == 1
    assert "face" in capsys.readouterr().err


def test_no_such_actor(tmp_path, capsys):
    assert main(["evaluate", "nobody", str(tmp_path / "a.mp4")]) == 2
    assert "no actor" in capsys.readouterr().err


def test_transcripts_that_are_not_there_and_one_place_for_two_outputs(tmp_path, capsys):
    video = tmp_path / "film.mp4"
    video.write_bytes(b"film")
    assert main(["evaluate", "voice", str(video), "--transcripts", str(tmp_path / "nowhere.txt")]) == 2
    assert "no file" in capsys.readouterr().err
    place = str(tmp_path / "both.mp4")
    assert main(["evaluate", "voice", str(video), "--json", place, "--video", place]) == 2
    assert "--json and --video" in capsys.readouterr().err


def test_the_actors_own_files_are_not_replaced(tmp_path, capsys):
    actor = shutil.copytree(find_actor("voice"), tmp_path / "actor")
    (tmp_path / "clip.mp4").touch()
    before = (actor / "actor.json").read_bytes()
    assert main(["evaluate", str(actor), str(tmp_path / "clip.mp4"), "--json", str(actor / "actor.json")]) == 2
    assert "would replace what is read" in capsys.readouterr().err
    assert (actor / "actor.json").read_bytes() == before


def test_a_video_that_is_left_out_is_named_and_stops_no_other(clip, tmp_path, capsys, removed_while_open):
    empty = tmp_path / "empty.mp4"
    empty.touch()
    assert main(["evaluate", "voice", str(clip), str(empty)]) == 1
    said = capsys.readouterr()
    assert said.err.startswith("mouthpiece: empty.mp4 was left out")
    assert "aperture_r" in said.out
    assert removed_while_open == []


def test_flicker_is_between_neighbours_of_a_clip():
    crops = np.zeros((3, 128, 128, 3), np.uint8)
    crops[1], crops[2] = 10, 200
    none, faces = np.zeros(3), np.zeros((3, 468, 3))
    clip = ClipResult(
        Path("a.mp4"), none, none, np.array([0, 1, 7]), faces, faces, np.zeros((3, 3, 4)), crops, crops, none, none
    )
    other = replace(clip, crops=np.full_like(crops, 90), frames=np.array([0, 1, 2]))
    assert texture_flicker([clip, other]) == pytest.approx((10 + 0 + 0) / 3 / 255)


def test_the_size_of_the_frames_is_told_where_it_is_one(write_video):
    none, faces, crops = np.zeros(0), np.zeros((0, 468, 3)), np.zeros((0, 128, 128, 3), np.uint8)
    clips = []
    for name, turn, size in (("wide.mp4", 0, (48, 64)), ("turned.mp4", 90, (64, 48)), ("large.mp4", 0, (96, 128))):
        path = write_video(name, [np.zeros((*size, 3), np.uint8)] * 3, np.arange(3) / 25, rotation=turn)
        poses = np.zeros((0, 3, 4))
        clips.append(ClipResult(path, none, none, none, faces, faces, poses, crops, crops, none, none))
    assert frame_rows(clips[:2]) == {"frame_width": 64, "frame_height": 48}
    assert all(np.isnan(value) for value in frame_rows(clips).values())


def test_a_video_is_not_replaced_by_its_figures(tmp_path, capsys):
    video = tmp_path / "film.mp4"
    video.write_bytes(b"film")
    assert main(["evaluate", "voice", str(video), "--video", str(video)]) == 2
    assert "would replace" in capsys.readouterr().err
    assert video.read_bytes() == b"film"
