"""What stops one recording stops no others, is told in a sentence, and leaves nothing behind."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from backend.inference.request import AnimateRequest
from tests.backend.cli.conftest import ROOT, SAMPLE
from tests.backend.cli.test_animate import NEEDS_ESPEAK, animate


def test_one_bad_transcript_does_not_stop_the_others(place, capsys):
    (place / "told").mkdir()
    for name in ("b", "c"):
        shutil.copy("a.wav", f"{name}.wav")
    (place / "told" / "a.txt").touch()
    (place / "told" / "b.txt").write_bytes("Grüße".encode("latin-1"))
    assert animate("a.wav", "b.wav", "c.wav", "--transcript", "told", "--out", "out") == 1
    said = capsys.readouterr()
    assert said.out.splitlines()[-1] == "1 of 3 recordings animated; not finished: b.wav, c.wav"
    for line, words in zip(said.err.splitlines(), ("b.wav: told/b.txt is no text", "c.wav: There is no"), strict=True):
        assert words in line
    assert sorted(path.name for path in (place / "out").iterdir()) == ["a"]


def run_command(*words: str, **settings) -> subprocess.Popen[str]:
    """The command in a process of its own, in the present folder."""
    command = [sys.executable, "-m", "backend", "animate", *words, "--actor", "voice", "--no-texture"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(Path.cwd() / "scratch")}
    Path("scratch").mkdir()
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **settings
    )


@pytest.mark.skipif(os.name == "nt", reason="Windows limits no file's size")
def test_a_file_that_cannot_be_written_is_no_bug_and_stops_no_others(place):
    import resource

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))  # of animation.npz: 144 kB for a.wav

    shutil.copy(SAMPLE, "long.flac")
    shutil.copy("a.wav", "z.wav")
    process = run_command("a.wav", "long.flac", "z.wav", "--out", "out", preexec_fn=limit)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert out.splitlines()[-1] == "2 of 3 recordings animated; not finished: long.flac"
    assert err.startswith("mouthpiece: error: long.flac: A file cannot be read or written: File too large")
    assert err.count("\n") == 1
    assert sorted(path.name for path in (place / "out").iterdir()) == ["a", "z"]
    assert list((place / "scratch").iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
def test_output_that_nobody_reads_is_no_bug(place):
    process = run_command("a.wav", "--out", "out")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait(timeout=60) == 141
    assert list((place / "scratch").iterdir()) == []


def test_names_of_outputs_may_be_as_long_as_the_system_takes(place, capsys):
    name = "n" * 251
    assert animate("a.wav", "--out", f"{name}.csv", "--out", name) == 0
    assert animate("a.wav", "--out", f"{name}nn.csv") == 1
    assert "File name too long" in capsys.readouterr().err


def test_a_file_inside_the_animations_folder_is_refused(place, capsys):
    shutil.copy("a.wav", "b.wav")
    assert animate("a.wav", "b.wav", "--out", "anims", "--out", "anims/x.csv") == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (place / "anims").exists()


def test_pictures_that_another_file_shows_are_not_replaced(place, capsys):
    Path("shot_files").mkdir()
    Path("shot.usdc").touch()
    assert animate("a.wav", "--out", "shot.blend", "--overwrite") == 2
    said = capsys.readouterr().err
    assert "shot_files holds the pictures and the sound of shot.usdc too" in said and "(--out shot.usdc)" in said
    assert not list(Path("shot_files").iterdir()) and not Path("shot.blend").exists()
    both = AnimateRequest(Path("a.wav"), "voice", (Path("shot.blend"), Path("shot.usdc")), overwrite=True)
    both.check_outputs(frozenset())
    replace(both, outputs=(Path("shot.glb"),)).check_outputs(frozenset())


def test_a_folder_that_was_there_stays(place):
    (place / "shots" / "corrupt").mkdir(parents=True)
    assert animate("a.wav", "corrupt.wav", "--out", "shots/line.csv") == 1
    assert sorted(path.name for path in (place / "shots").iterdir()) == ["a", "corrupt"]


def test_who_does_not_speak_is_said(place, capsys):
    soundfile.write("room.wav", np.random.default_rng(0).standard_normal(32_000) * 0.003, 16_000)
    assert animate("a.wav", "room.wav", "--out", "out") == 0
    assert "There is no speech in room.wav" in capsys.readouterr().err


@pytest.mark.blender
@NEEDS_ESPEAK
def test_what_was_not_written_leaves_nothing_beside_it(place, capsys):
    pytest.importorskip("bpy", reason="Blender's Python module (bpy) is not installed")
    (place / "bad.blend").write_text("nothing")
    words = ["--out", "y.csv", "--out", "z.glb", "--character", "bad.blend"]
    assert animate("--text", "Hello there, Bob.", *words) == 1
    kept = ["y.csv", "y.markers.json", "y.speech.wav"]
    assert sorted(capsys.readouterr().out.splitlines()) == [f"wrote {name}" for name in kept]
    assert sorted(path.name for path in place.glob("[yz]*")) == kept


def wait_for(there: Callable[[], object], process: subprocess.Popen[str], every: float = 0.05) -> None:
    """Wait while a process runs until something is there."""
    while not there():
        assert process.poll() is None, "it ended too early"
        time.sleep(every)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@NEEDS_ESPEAK
def test_a_long_text_can_be_stopped(place, name):
    process = run_command("--text", "Nobody hears the end of this. " * 2000, "--out", "out")
    wait_for(lambda: any((place / "scratch").iterdir()), process)
    time.sleep(1.5)  # until it is spoken
    process.send_signal(getattr(signal, name))
    _, err = process.communicate(timeout=60)
    assert err == "mouthpiece: error: stopped; nothing half-written was left behind.\n"
    assert process.returncode == 130
    assert list((place / "scratch").iterdir()) == []


@pytest.mark.blender
@pytest.mark.skipif(
    shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode != 0,
    reason="no disk of a test's own can be made here",
)
@pytest.mark.parametrize(("name", "kilobytes"), [("s.abc", 80), ("s.fbx", 100), ("s.blend", 240)])
def test_a_full_disk_is_named_and_nothing_is_left_on_it(place, name, kilobytes):
    pytest.importorskip("bpy", reason="Blender's Python module (bpy) is not installed")
    (place / "disk").mkdir()
    script = f'mount -t tmpfs -o size={kilobytes}k tmpfs disk && {{ "$@"; }}; status=$?; ls -A disk; exit $status'
    command = [sys.executable, "-m", "backend", "animate", "a.wav", "--actor", "voice", "--out", f"disk/{name}"]
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", *command],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    said = f"There is no space left on the disk to write {place / 'disk' / name}; free some, or use another disk."
    assert done.stderr == f"mouthpiece: error: {said}\n"
    assert (done.returncode, done.stdout) == (1, "")


@pytest.mark.blender
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize(
    ("moment", "seconds"), [(".s.partial-*", 0.0), (".s_files.older-*", 0.0), (".s_files.older-*", 0.03)]
)
def test_ctrl_c_leaves_everything_old_or_everything_new(place, moment, seconds):
    pytest.importorskip("bpy", reason="Blender's Python module (bpy) is not installed")
    (place / "out").mkdir()
    words = ["a.wav", "--out", "out/s.blend", "--out", "out/s.glb"]
    before = dict.fromkeys((place / "out/s.blend", place / "out/s.glb", place / "out/s_files/old.wav"), b"old")
    (place / "out/s_files").mkdir()
    for path, content in before.items():
        path.write_bytes(content)
    process = run_command(*words, "--overwrite", start_new_session=True)
    wait_for(lambda: [*(place / "out").glob(moment)], process, every=0.0005)
    time.sleep(seconds)
    for _ in range(3):  # an impatient person, at a terminal: Blender gets it too
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.01)
    _, err = process.communicate(timeout=60)
    after = {path: path.read_bytes() for path in (place / "out").rglob("*") if path.is_file()}
    if process.returncode == 0:  # it was done already
        assert err == ""
        assert after != before
    else:
        assert err == "mouthpiece: error: stopped; nothing half-written was left behind.\n"
        assert process.returncode == 130
    if after != before:
        assert {path.name for path in (place / "out").iterdir()} == {"s.blend", "s.glb", "s_files"}
        assert not set(after.values()) & {b"old"}
    assert list((place / "scratch").iterdir()) == []


@pytest.mark.blender
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_a_stopped_run_leaves_neither_files_nor_a_blender(place):
    pytest.importorskip("bpy", reason="Blender's Python module (bpy) is not installed")
    (place / "out").mkdir()
    words = ["--out", "out/a", "--out", "out/b.blend", "--out", "out/c.mp4", "--size", "2048"]
    process = run_command(str(SAMPLE), *words, start_new_session=True)
    wait_for(lambda: [*(place / "scratch").glob("mouthpiece-*/.frames.partial*/*")], process)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert err == "mouthpiece: error: stopped; nothing half-written was left behind.\n"
    assert process.returncode == 130
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    assert [path.name for path in (place / "out").iterdir()] == ["a"]
    assert list((place / "scratch").iterdir()) == []
