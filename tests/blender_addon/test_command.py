"""The windowless command refuses wrong calls with one sentence, before it loads Blender."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from blender_addon.command import parse_arguments
from blender_addon.errors import CommandError
from tests.blender_addon.example import make_animation

ROOT = Path(__file__).resolve().parents[2]


def run_command(*arguments: str) -> tuple[int, list[dict], str]:
    """(exit status, the JSON lines, standard error)."""
    command = [sys.executable, "-m", "blender_addon.headless", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--animation"),
        (["--animation", "x"], "Nothing to write"),
        (["--animation", "x", "--out", "shot.gif"], "'.gif'"),
        (["--animation", "x", "--out", "nowhere/shot.glb"], "does not exist"),
        (["--animation", "x", "--render", "frames", "--size", "8"], "--size is 8"),
        (["--animation", "x", "--render", "frames", "--size", "big"], "big"),
        (["--animation", "x", "--out", "shot.glb", "--audio", "none.wav"], "none.wav"),
        (["--animation", "x", "--out", "shot.glb", "--what"], "--what"),
    ],
)
def test_wrong_arguments(tmp_path: Path, monkeypatch, arguments: list[str], words: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CommandError) as caught:
        parse_arguments(arguments)
    assert words in str(caught.value)


def test_a_missing_animation_is_one_sentence(tmp_path: Path) -> None:
    status, lines, errors = run_command("--animation", str(tmp_path), "--out", str(tmp_path / "shot.blend"))
    assert status == 1
    assert "animation.npz" in lines[-1]["error"]
    assert errors == ""
    assert list(tmp_path.iterdir()) == []


def test_runs_as_a_file_as_an_installed_blender_starts_it(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "blender_addon" / "headless.py"), "--background", "--"]
    command += ["--animation", str(tmp_path), "--out", str(tmp_path / "shot.blend")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "animation.npz" in json.loads(done.stdout.splitlines()[-1])["error"]


def test_damaged_content_is_one_sentence(tmp_path: Path) -> None:
    animation = make_animation(tmp_path / "animation", texture=False)
    (animation / "animation.npz").write_bytes(b"nothing")
    status, lines, _ = run_command("--animation", str(animation), "--out", str(tmp_path / "shot.blend"))
    assert status == 1
    assert "damaged" in lines[-1]["error"]
    assert not (tmp_path / "shot.blend").exists()


def test_the_modules_without_blender_do_not_load_it() -> None:
    names = ("animation", "command", "components", "errors", "staging", "timing", "headless")
    code = "import sys, blender_addon\n"
    code += "".join(f"import blender_addon.{name}\n" for name in names) + "assert 'bpy' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
