"""Whatever is handed to the command: one sentence, the right exit code, nothing half-written."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.end_to_end.bad_files import write_actors, write_files

ROOT = Path(__file__).resolve().parents[2]
ANIMATE = ("animate", "{audio}", "--actor", "{actor}", "--out", "{out}")


def animate(*more: str, audio: str = "good.wav", actor: str = "tiny", out: str = "out") -> tuple[str, ...]:
    return (*(part.format(audio=audio, actor=actor, out=out) for part in ANIMATE), *more)


def train(*more: str, video: str = "faceless.mp4", consent: str = "consent.json", actor: str = "new"):
    return ("train", video, "--actor", actor, "--consent", consent, *more)


CASES = [
    # the recording
    (animate(audio="nowhere.wav"), 2, "no file nowhere.wav"),
    (animate(audio="folder"), 2, "is a folder"),
    (animate(audio="text.wav"), 1, "cannot be decoded"),
    (animate(audio="empty.wav"), 1, "is empty"),
    (animate(audio="short.wav"), 1, "0.05 s"),
    (animate(audio="long.wav"), 1, "10.0 h"),
    (animate(audio="nan.wav"), 1, "10 samples that are not numbers"),
    (animate(audio="inf.wav"), 1, "10 samples that are not numbers"),
    (animate(audio="mute.mp4"), 1, "no sound track"),
    # the actor
    (animate(actor="nobody"), 2, "no actor 'nobody'"),
    (animate(actor="../actors/tiny"), 2, "not a name"),
    (animate(actor=""), 2, "not a name"),
    (animate(actor="truncated"), 1, "model.safetensors is damaged"),
    (animate(actor="resealed"), 1, "model.safetensors"),
    (animate(actor="nojson"), 1, "actor.json cannot be read"),
    (animate(actor="swapped"), 1, "atlas.png is damaged"),
    (animate(actor="future"), 1, "format"),
    (animate(actor="incomplete"), 1, "lacks reference.npz"),
    (animate(actor="misshapen"), 1, "does not fit"),
    (animate(actor="modelless"), 1, "actor.json"),
    # where to write
    (animate(out="old.glb"), 2, "exists already"),
    (animate(out="folder"), 2, "exists already"),
    (animate("--overwrite", out="folder"), 2, "folder"),
    (animate("--overwrite", out="folder.glb"), 2, "folder.glb"),
    (animate("--overwrite", out="."), 2, "."),
    (animate(out="missing/shot.glb"), 2, "no folder missing"),
    (animate(out="good.wav/shot.glb"), 2, "good.wav"),
    (animate(out="shot.obj"), 2, ".obj"),
    (animate("--out", "out"), 2, "twice"),
    (animate("--out", "folder/../out"), 2, "twice"),
    (animate("--character", "hero.blend"), 2, "--character is shown by"),
    pytest.param(
        *(animate(out="/proc/shot.csv"), 2, "cannot be written"),
        marks=pytest.mark.skipif(sys.platform != "linux", reason="needs a folder nobody can write to"),
    ),
    # options
    (animate("--fps", "0"), 2, "--fps"),
    (animate("--fps", "-1"), 2, "--fps"),
    (animate("--fps", "nan"), 2, "--fps"),
    (animate("--fps", "1000"), 2, "--fps"),
    (animate("--fps", "fast"), 2, "--fps"),
    (animate("--intensity", "-1"), 2, "--intensity"),
    (animate("--intensity", "inf"), 2, "--intensity"),
    (animate("--smooth", "-0.1"), 2, "--smooth"),
    (animate("--size", "63"), 2, "--size"),
    (animate("--size", "100000"), 2, "--size"),
    (animate("--loud"), 2, "--loud"),
    ((), 2, "VERB"),
    (("sing", "good.wav"), 2, "sing"),
    (("animate", "good.wav", "--actor", "tiny"), 2, "--out"),
    (("animate", "good.wav", "--out", "out"), 2, "--actor"),
    (("animate", "good.wav", "again/good.wav", "--actor", "tiny", "--out", "out"), 2, "good"),
    # training
    (("train", "faceless.mp4", "--actor", "new"), 2, "--consent"),
    (train(consent="nowhere.json"), 2, "nowhere.json"),
    (train(consent="broken.json"), 2, "not JSON"),
    (train(consent="silent.json"), 2, "lacks statement"),
    (train(consent="undated.json"), 2, "YYYY-MM-DD"),
    (train(actor="a/b"), 2, "not a name"),
    (train(actor="tiny"), 2, "exists already"),
    (train(video="nowhere.mp4"), 2, "no file nowhere.mp4"),
    (train(video="text.mp4"), 1, "text.mp4 is not a video"),
    (train(video="mute.mp4"), 1, "no sound track"),
    (train(video="good.wav"), 1, "good.wav"),
    (train(video="faceless.mp4"), 1, "face"),
    (("train", "faceless.mp4", "empty.wav", *train()[2:]), 1, "empty.wav was left out"),
    (train("--preset", "huge"), 2, "huge"),
    (train("--preset", "instant", "--from-scratch"), 2, "--from-scratch"),
    (train("--preset", "instant", "--epochs", "3"), 2, "without epochs"),
    (train("--epochs", "0"), 2, "--epochs"),
    (train("--held-out", "0.9"), 2, "--held-out"),
]


@pytest.fixture(scope="session")
def tiny_actor(tmp_path_factory) -> Path:
    """An untrained actor with small networks; enough to run everything."""
    from backend.actor_file import ReferenceFace, save_actor
    from models.presets import ModelConfig, build_model
    from shape_keys.topology import CANONICAL_FACE

    config = ModelConfig(
        use_phase=False,
        frequency_widths=(4,) * 6,
        time_widths=(4,) * 6,
        code_length=8,
        geometry_hidden=8,
        texture_widths=(8, 8, 8, 4, 4),
        previous_widths=(4, 4, 4),
        previous_kernel=3,
        previous_side=32,
    )
    rectangle = {"x": 64, "y": 112, "width": 128, "height": 128, "atlas_size": 256}
    uv = np.clip(CANONICAL_FACE[:, :2] * 0.25 + 0.5, 0, 1)
    reference = ReferenceFace(CANONICAL_FACE, uv, rectangle, np.ones((128, 128), np.float32))
    folder = tmp_path_factory.mktemp("actors") / "tiny"
    folder.mkdir()
    atlas = np.full((256, 256, 3), 128, np.uint8)
    save_actor(folder, "tiny", build_model(config), config, reference, atlas, {"licence": "CC0-1.0"}, "For tests.")
    return folder


@pytest.fixture
def mouthpiece(tmp_path):
    """Run the command in `tmp_path`, with a home and a temporary folder of its own in there."""
    home, scratch = tmp_path / "home", tmp_path / "scratch"
    home.mkdir()
    scratch.mkdir()
    own = {"MOUTHPIECE_HOME": str(home), "TMPDIR": str(scratch), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "backend", *arguments]
        environment = os.environ | own
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)

    return run


def contents(folder: Path) -> dict[str, str]:
    """Every file and folder below `folder` with its digest; the work folder of a training run is meant to stay."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if ".training" not in name and path.stat().st_size < 1e8:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
    return found


def check_sentence(text: str, words: str) -> None:
    assert text.startswith("mouthpiece: error: ")
    assert text.count("\n") == 1, text
    assert words in text
    assert "Traceback" not in text
    assert "unexpected" not in text


@pytest.mark.parametrize(("arguments", "code", "words"), CASES)
def test_bad_input_is_answered_in_one_sentence(arguments, code, words, tmp_path, mouthpiece, tiny_actor):
    write_files(tmp_path, {name.split("/shot")[0] for name in arguments})
    write_actors(tiny_actor, tmp_path / "home" / "actors", {"tiny", *arguments})
    before = contents(tmp_path)
    done = mouthpiece(*arguments)
    check_sentence(done.stderr, words)
    assert done.returncode == code
    assert done.stdout == ""
    assert contents(tmp_path) == before


@pytest.mark.parametrize("audio", ["zero.wav", "surround.wav"])
def test_unusual_sound_is_animated(audio, tmp_path, mouthpiece, tiny_actor):
    write_files(tmp_path, {audio})
    write_actors(tiny_actor, tmp_path / "home" / "actors", {"tiny"})
    done = mouthpiece(*animate(audio=audio, out="out"))
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if "There is no speech in" not in line] == []
    assert "wrote out" in done.stdout
    with np.load(tmp_path / "out" / "animation.npz") as animation:
        assert animation["offsets"].shape == (25, 468, 3)  # 1 s at 25 frames a second
        assert np.isfinite(animation["offsets"]).all()
    assert not list((tmp_path / "scratch").iterdir())


def test_several_recordings_get_a_folder_each(tmp_path, mouthpiece, tiny_actor):
    write_files(tmp_path, {"good.wav", "zero.wav"})
    write_actors(tiny_actor, tmp_path / "home" / "actors", {"tiny"})
    done = mouthpiece(
        "animate", "good.wav", "zero.wav", "--actor", "tiny", "--out", "out", "--out", "shots/weights.csv"
    )
    assert done.returncode == 0, done.stderr
    for stem in ("good", "zero"):
        assert (tmp_path / "out" / stem / "animation.npz").is_file()
        assert (tmp_path / "shots" / stem / "weights.csv").is_file()
