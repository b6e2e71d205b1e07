"""From the command line's words to requests."""

import ctypes.util
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

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
    markers = json.loads((out / "markers.json").read_text())
    assert [word["text"] for word in markers["words"]] == ["Bob", "met", "a", "puppy"]
    assert markers["phones"][-1]["end"] <= len(samples) / 16000 + 0.01
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


def test_style_reaches_the_request():
    words = (
        "--jaw",
        "0.5",
        "--style",
        "1.2",
        "--silence-gate",
        "0",
        "--gains",
        "jawOpen=0.8,mouthSmile=2",
        "--seed",
        "7",
    )
    (request,) = requests("a.wav", "--out", "a", *words)
    assert (request.jaw, request.style, request.silence_gate, request.seed) == (0.5, 1.2, 0.0, 7)
    assert request.gains == {"jawOpen": 0.8, "mouthSmile": 2.0}
    assert (request.transcript, request.blinks, request.head) == ("", 0.0, 0.0)
    with pytest.raises(UsageError, match="--gains"):
        requests("a.wav", "--out", "a", "--gains", "jawOpen")
    with pytest.raises(UsageError, match="--jaw"):
        requests("a.wav", "--out", "a", "--jaw", "3")


def test_transcripts_are_words_a_file_or_a_folder(tmp_path):
    (request,) = requests("a.wav", "--out", "a", "--transcript", "Nice to meet you.")
    assert (request.transcript, request.language) == ("Nice to meet you.", "en-us")
    (tmp_path / "a.txt").write_text("So nice.")
    (request,) = requests("a.wav", "--out", "a", "--transcript", str(tmp_path / "a.txt"), "--language", "de")
    assert (request.transcript, request.language) == ("So nice.", "de")
    (tmp_path / "b.txt").write_text("")
    first, second = requests("a.wav", "b.wav", "--out", "a", "--transcript", str(tmp_path))
    assert (first.transcript, second.transcript) == ("So nice.", "")
    with pytest.raises(UsageError, match=r"c\.txt"):
        requests("a.wav", "c.wav", "--out", "a", "--transcript", str(tmp_path))
    with pytest.raises(UsageError, match="folder"):
        requests("a.wav", "b.wav", "--out", "a", "--transcript", "So nice.")


def test_without_speech_the_face_rests_and_a_warning_says_so(tmp_path, capsys):
    soundfile.write(tmp_path / "room.wav", np.random.default_rng(0).standard_normal(32_000) * 0.003, 16_000)
    out = tmp_path / "shot"
    assert main(["animate", str(tmp_path / "room.wav"), "--actor", "voice", "--out", str(out), "--head", "1"]) == 0
    assert "no speech" in capsys.readouterr().err
    with np.load(out / "animation.npz", allow_pickle=False) as animation:
        assert np.abs(np.diff(animation["offsets"], axis=0)).max() < 1e-3
        assert animation["weights"].max() < 0.01
        assert animation["head_rotation"].shape == (50, 3)


def test_a_transcript_that_does_not_fit_is_one_sentence(tmp_path, capsys):
    pytest.importorskip("pocketsphinx", reason="pocketsphinx is not installed")
    soundfile.write(tmp_path / "room.wav", np.random.default_rng(0).standard_normal(32_000) * 0.003, 16_000)
    text = "seven green parrots sang in their small cage on friday"
    words = ["animate", str(tmp_path / "room.wav"), "--actor", "voice", "--out", str(tmp_path / "shot")]
    assert main([*words, "--transcript", text]) == 1
    assert "does not fit the sound" in capsys.readouterr().err
    assert not (tmp_path / "shot").exists()
