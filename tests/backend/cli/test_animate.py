"""From the command line's words to requests."""

import ctypes.util
from pathlib import Path

import numpy as np
import pytest

from backend.__main__ import build_parser, main
from backend.audio.decode import decode_audio
from backend.cli.animate import build_requests
from backend.errors import UsageError


def requests(*arguments: str):
    return build_requests(build_parser().parse_args(["animate", *arguments, "--actor", "anna"]))


def test_options_reach_the_request():
    (request,) = requests("a.wav", "--out", "a.blend", "--out", "a", "--fps", "29.97", "--no-texture", "--overwrite")
    assert request.outputs == (Path("a.blend"), Path("a"))
    assert (request.audio, request.actor, request.fps) == (Path("a.wav"), "anna", 29.97)
    assert (request.texture, request.overwrite, request.intensity) == (False, True, 1.0)


def test_one_recording_goes_where_it_is_told():
    (request,) = requests("a.wav", "--out", "shots")
    assert request.outputs == (Path("shots"),)


def test_each_of_several_recordings_gets_a_folder():
    first, second = requests("a.wav", "sub/b.flac", "--out", "shots", "--out", "films/shot.mp4")
    assert first.outputs == (Path("shots/a"), Path("films/a/shot.mp4"))
    assert second.outputs == (Path("shots/b"), Path("films/b/shot.mp4"))


def test_recordings_that_would_share_a_folder_are_refused():
    with pytest.raises(UsageError, match="'a'"):
        requests("a.wav", "other/a.mp3", "--out", "shots")


def test_the_same_output_twice_is_refused():
    with pytest.raises(UsageError, match="twice"):
        requests("a.wav", "--out", "a.glb", "--out", "a.glb")


@pytest.mark.skipif(ctypes.util.find_library("espeak-ng") is None, reason="espeak-ng is not installed")
def test_a_text_is_spoken_and_animated(tmp_path):
    out = tmp_path / "shot"
    assert main(["animate", "--text", "Bob met a puppy.", "--actor", "voice", "--out", str(out)]) == 0
    samples = decode_audio(out / "speech.wav")
    with np.load(out / "animation.npz", allow_pickle=False) as animation:
        assert len(animation["offsets"]) == int(np.ceil(len(samples) / 16000 * 25 - 1e-6))
        assert animation["weights"].max() > 0.1


@pytest.mark.parametrize("words", [(), ("a.wav", "--text", "hello")])
def test_either_recordings_or_a_text(words, capsys):
    assert main(["animate", *words, "--actor", "default", "--out", "x.blend"]) == 2
    assert "either" in capsys.readouterr().err


def test_a_character_reaches_the_request():
    (request,) = requests("a.wav", "--out", "a.blend", "--character", "hero.glb", "--map", "oculus")
    assert (request.character, request.map, request.with_texture) == (Path("hero.glb"), "oculus", False)
    (request,) = requests("a.wav", "--out", "a", "--character", "hero.blend")
    assert (request.map, request.with_texture) == ("auto", True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--out", "a.blend", "--character", "hero.obj"), "--character"),
        (("--out", "a.mp4", "--character", "hero.blend"), "a.mp4"),
        (("--out", "a.blend", "--character", "hero.blend", "--map", "nothing"), "--map"),
    ],
)
def test_what_a_character_cannot_be_is_refused(words, says):
    with pytest.raises(UsageError, match=says):
        requests("a.wav", *words)
