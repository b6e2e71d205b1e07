"""From the command line's words to requests."""

import csv
import ctypes.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from backend.__main__ import build_parser, main
from backend.actor_library import VOICE
from backend.audio.decode import decode_audio
from backend.cli.animate import add_transcript, build_requests
from backend.errors import InputError, UsageError
from tests.backend.cli.conftest import SAMPLE

NEEDS_ESPEAK = pytest.mark.skipif(ctypes.util.find_library("espeak-ng") is None, reason="espeak-ng is not installed")
TEXT = "produced the block books, which were the immediate predecessors of the true printed book"
"""What the sample says: backend/samples/README.md."""


def animate(*words: str) -> int:
    """Run the command with the voice model and without textures; returns its exit code."""
    return main(["animate", *words, "--actor", "voice", "--no-texture"])


def requests(*arguments: str):
    options = build_parser().parse_args(["animate", *arguments, "--actor", "anna"])
    return [add_transcript(request, options.transcript) for request in build_requests(options)]


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
    assert (*first.folders, *first.outputs) == (Path("shots/a"), Path("films/a/shot.mp4"))
    assert (*second.folders, *second.outputs) == (Path("shots/b"), Path("films/b/shot.mp4"))


def test_dots_in_the_names_of_recordings_make_no_endings():
    first, second = requests("line.01.wav", "x.csv.wav", "--out", "lines", "--out", "w.csv")
    assert (first.animation_folders, first.files) == ((Path("lines/line.01"),), (Path("line.01/w.csv"),))
    assert (second.animation_folders, second.files) == ((Path("lines/x.csv"),), (Path("x.csv/w.csv"),))


def test_recordings_that_would_share_a_folder_are_refused():
    with pytest.raises(UsageError, match="'a'"):
        requests("a.wav", "other/a.mp3", "--out", "shots")


def test_the_same_output_twice_is_refused():
    with pytest.raises(UsageError, match="twice"):
        requests("a.wav", "--out", "a.glb", "--out", "a.glb")


@NEEDS_ESPEAK
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


@pytest.mark.parametrize(
    ("outputs", "predicted"),
    [(["a.csv"], False), (["a.csv", "b.CSV"], False), (["a.csv", "b.mp4"], True), (["a"], True)],
)
def test_pictures_are_predicted_where_an_output_shows_them(outputs, predicted):
    (request,) = requests("a.wav", *(word for path in outputs for word in ("--out", path)))
    assert request.with_texture == predicted


def test_a_character_reaches_the_request():
    (request,) = requests("a.wav", "--out", "a.blend", "--character", "hero.glb", "--map", "oculus")
    assert (request.character, request.map, request.with_texture) == (Path("hero.glb"), "oculus", False)
    (request,) = requests("a.wav", "--out", "a", "--out", "a.glb", "--character", "hero.blend")
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
    (request,) = requests("a.wav", "--out", "a", "--transcript", str(tmp_path))
    assert request.transcript == "So nice."
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


def test_the_head_is_written_to_the_table(tmp_path):
    soundfile.write(tmp_path / "room.wav", np.random.default_rng(0).standard_normal(32_000) * 0.003, 16_000)
    outputs = ["--out", str(tmp_path / "shot"), "--out", str(tmp_path / "shot.csv"), "--no-texture"]
    assert main(["animate", str(tmp_path / "room.wav"), "--actor", "voice", *outputs, "--head", "1"]) == 0
    with (tmp_path / "shot.csv").open(newline="") as file:
        pitch = [float(row["HeadPitch"]) for row in csv.DictReader(file)]
    with np.load(tmp_path / "shot" / "animation.npz", allow_pickle=False) as animation:
        nod = animation["head_rotation"][:, 0]
    assert np.abs(nod).max() > 0.001
    assert np.corrcoef(pitch, nod)[0, 1] < -0.99


def test_that_a_characters_head_is_not_turned_is_said(tmp_path, capsys):
    soundfile.write(tmp_path / "room.wav", np.random.default_rng(0).standard_normal(32_000) * 0.003, 16_000)
    (tmp_path / "hero.glb").write_bytes(b"glTF")
    words = ["animate", str(tmp_path / "room.wav"), "--actor", "voice", "--out", str(tmp_path / "shot.glb")]
    assert main([*words, "--character", str(tmp_path / "hero.glb"), "--head", "1"]) == 1  # it is no .glb
    assert "head is not turned" in capsys.readouterr().err


def test_a_recording_that_was_cut_short_is_animated_with_a_warning(tmp_path, capsys):
    path = tmp_path / "line.wav"
    soundfile.write(path, np.random.default_rng(0).standard_normal(64_000) * 0.1, 16_000)
    path.write_bytes(path.read_bytes()[:64_044])
    assert main(["animate", str(path), "--actor", "voice", "--out", str(tmp_path / "shot"), "--no-texture"]) == 0
    assert "Only 2.0 of 4.0 s of line.wav could be decoded" in capsys.readouterr().err


def test_a_transcript_that_does_not_fit_is_one_sentence(tmp_path, capsys):
    pytest.importorskip("pocketsphinx", reason="pocketsphinx is not installed")
    soundfile.write(tmp_path / "room.wav", np.random.default_rng(0).standard_normal(32_000) * 0.003, 16_000)
    text = "seven green parrots sang in their small cage on friday"
    words = ["animate", str(tmp_path / "room.wav"), "--actor", "voice", "--out", str(tmp_path / "shot")]
    assert main([*words, "--transcript", text]) == 1
    assert "does not fit the sound" in capsys.readouterr().err
    assert not (tmp_path / "shot").exists()


@pytest.mark.parametrize("name", ["notes.txt", "shots/one.txt", "shot.blend"])
def test_overwriting_keeps_what_others_put_into_the_folder(place, name, capsys):
    assert animate("a.wav", "--out", "out") == 0
    assert animate("a.wav", "--out", "out", "--overwrite") == 0
    (place / "out" / name).parent.mkdir(exist_ok=True)
    (place / "out" / name).touch()
    assert animate("a.wav", "--out", "out", "--overwrite") == 2
    assert "other files" in capsys.readouterr().err
    assert (place / "out" / name).exists()


def test_an_actor_is_no_place_for_an_animation(place, capsys):
    shutil.copytree(VOICE, place / "mine")
    assert animate("a.wav", "--out", "mine", "--overwrite") == 2
    assert "other files" in capsys.readouterr().err
    assert sorted(path.name for path in (place / "mine").iterdir()) == sorted(path.name for path in VOICE.iterdir())


@pytest.mark.parametrize(
    ("audio", "out"), [("v.mp4", "v.mp4"), ("out/speech.wav", "out"), ("out/speech.wav", ".//out")]
)
def test_a_recording_is_never_replaced(place, audio, out, capsys):
    (place / "out").mkdir()
    shutil.copy("a.wav", audio)
    assert animate(audio, "--out", out, "--overwrite") == 2
    assert "would replace" in capsys.readouterr().err
    assert (place / audio).read_bytes() == (place / "a.wav").read_bytes()


def test_no_recording_of_a_batch_is_replaced(place):
    (place / "out" / "a").mkdir(parents=True)
    shutil.copy("a.wav", "out/a/speech.wav")
    assert animate("a.wav", "out/a/speech.wav", "--out", "out", "--overwrite") == 2
    assert (place / "out" / "a" / "speech.wav").is_file()
    assert (place / "out" / "speech" / "animation.npz").is_file()


def test_recordings_with_dots_get_a_folder_each(place):
    for name in ("line.01.wav", "x.csv.wav"):
        shutil.copy("a.wav", name)
    assert animate("line.01.wav", "x.csv.wav", "--out", "lines/") == 0
    for name in ("line.01", "x.csv"):
        assert (place / "lines" / name / "animation.npz").is_file()


def test_words_are_kept_beside_files(place):
    pytest.importorskip("pocketsphinx", reason="pocketsphinx is not installed")
    shutil.copy(SAMPLE, "whole.flac")
    assert animate("whole.flac", "--transcript", TEXT, "--out", "m.csv", "--out", "n.csv") == 0
    markers = json.loads((place / "m.markers.json").read_text())
    assert [word["text"] for word in markers["words"]][:3] == TEXT.split()[:3]
    assert not (place / "n.markers.json").exists()
    assert animate("whole.flac", "--transcript", TEXT, "--out", "m.csv", "--out", "out", "--overwrite") == 0
    assert json.loads((place / "out" / "markers.json").read_text()) == markers


@NEEDS_ESPEAK
def test_the_sound_of_a_text_is_kept_beside_files(place, capsys):
    assert animate("--text", "Hello there, Bob.", "--out", "x.csv", "--out", "y.csv", "--out", "shot") == 0
    said = (place / "shot" / "speech.wav").read_bytes()
    assert len(decode_audio(place / "x.speech.wav")) > 8_000
    assert (place / "x.speech.wav").read_bytes() == (place / "y.speech.wav").read_bytes() == said
    assert "wrote x.speech.wav\n" in capsys.readouterr().out
    (place / "z.speech.wav").write_text("mine")
    assert animate("--text", "Hello there, Bob.", "--out", "z.csv") == 2
    assert not (place / "z.csv").exists()


def test_names_with_colons(place):
    shutil.copy("a.wav", "take:1.wav")
    assert animate("take:1.wav", "--out", "t:1.csv") == 0
    assert (place / "t:1.csv").is_file()


def test_a_bad_recording_leaves_no_empty_folder(place):
    assert animate("a.wav", "corrupt.wav", "--out", "shots/line.csv") == 1
    assert sorted(path.name for path in (place / "shots").iterdir()) == ["a"]


def test_one_bad_recording_does_not_stop_the_others(place, capsys):
    shutil.copy("a.wav", "b.wav")
    assert animate("a.wav", "corrupt.wav", "none.wav", "b.wav", "--out", "out") == 1
    said = capsys.readouterr()
    assert said.out.splitlines()[-1] == "2 of 4 recordings animated; not finished: corrupt.wav, none.wav"
    errors = said.err.splitlines()
    assert len(errors) == 2
    assert all(line.startswith("mouthpiece: error: ") for line in errors)
    assert sorted(path.name for path in (place / "out").iterdir()) == ["a", "b"]
    assert animate("a.wav", "none.wav", "--out", "out") == 2
    assert capsys.readouterr().out == "0 of 2 recordings animated; not finished: a.wav, none.wav\n"


def test_what_was_written_before_an_error_is_said(place, capsys, monkeypatch):
    def fail(*_):
        raise InputError("Blender cannot open it.")

    monkeypatch.setattr("backend.blender.run_blender", fail)
    (place / "bad.blend").write_text("nothing")
    words = ["--out", "x", "--out", "y.csv", "--out", "z.blend", "--character", "bad.blend"]
    assert animate("a.wav", *words) == 1
    assert capsys.readouterr().out == "wrote x\nwrote y.csv\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--text", "Hello", "--transcript", "different words"), "--transcript"),
        (("a.wav", "--voice", "fr"), "--voice"),
        (("--text", "Guten Morgen", "--language", "de"), "--voice de"),
        (("a.wav", "--language", "xx"), "--language"),
        (("a.wav", "--map", "arkit"), "--map"),
    ],
)
def test_options_that_would_do_nothing_are_refused(place, words, says, capsys):
    assert animate(*words, "--out", "x.csv") == 2
    assert says in capsys.readouterr().err
    assert not (place / "x.csv").exists()


def test_options_are_checked_before_a_text_is_spoken(place, monkeypatch, capsys):
    monkeypatch.setattr("backend.speech.espeak.save_speech", lambda *_: pytest.fail("it was spoken"))
    for words in (["--fps", "0"], ["--gains", "jawOpne=1"], ["--out", "x.csv"], ["--character", "hero.obj"]):
        assert animate("--text", "Hello", "--out", "x.csv", *words) == 2
        assert capsys.readouterr().err.startswith("mouthpiece: error: ")


def test_an_empty_transcript_is_mentioned(place, capsys):
    Path("a.txt").touch()
    assert animate("a.wav", "--transcript", "a.txt", "--out", "x.csv") == 0
    assert "transcript is empty" in capsys.readouterr().err
    assert not (place / "x.markers.json").exists()
