"""The set-up script: what it installs when, and what it says where it cannot."""

import ast
import re
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import build

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def venv(tmp_path, monkeypatch) -> Path:
    """An environment folder with an interpreter in it; what would be installed is kept in `installed`."""
    python = build.venv_python(tmp_path / "venv")
    python.parent.mkdir(parents=True)
    python.touch()
    monkeypatch.setattr(build, "ensure_system", lambda *_: None)
    monkeypatch.setattr(build, "run", lambda *_, **__: None)
    return tmp_path / "venv"


@pytest.fixture
def installed(monkeypatch) -> list[str]:
    groups: list[str] = []
    monkeypatch.setattr(build, "install", lambda _venv, group: groups.append(group))
    return groups


@pytest.mark.parametrize("version, pinned", [("3.11", "5.1.1"), ("3.12", "5.0.4"), ("3.13", "5.1.1")])
def test_every_python_has_one_pocketsphinx_that_there_is_a_wheel_of(version, pinned):
    lines = (ROOT / "requirements/speech.txt").read_text("utf-8").splitlines()
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    versions = [
        str(one.specifier) for one in wanted if one.marker is None or one.marker.evaluate({"python_version": version})
    ]
    assert versions == [f"=={pinned}"]


def test_an_old_python_can_read_the_script_and_its_complaint():
    for name in ("build.py", "backend/system_libraries.py", "backend/__init__.py"):
        assert ast.parse((ROOT / name).read_text("utf-8"), feature_version=(3, 8)).body  # SyntaxError where it cannot


def test_set_up_happens_once(venv, installed):
    build.setup(venv, ("inference", "test"))
    assert installed == ["inference", "test", "project"]
    build.setup(venv, ("inference", "test"))
    build.setup(venv, ("inference",))
    assert installed == ["inference", "test", "project"]


def test_only_what_changed_is_installed_again(venv, installed, monkeypatch):
    build.setup(venv, ("inference", "blender"))
    installed.clear()
    before = build.fingerprint
    monkeypatch.setattr(build, "fingerprint", lambda group: "other" if group == "blender" else before(group))
    build.setup(venv, ("inference", "blender"))
    assert installed == ["blender"]


def test_a_failed_installation_is_repeated(venv, monkeypatch):
    def fail(_venv, group):
        raise build.BuildError(group)

    monkeypatch.setattr(build, "install", fail)
    for _ in range(2):
        with pytest.raises(build.BuildError, match="inference"):
            build.setup(venv, ("inference",))


def test_an_environment_whose_python_is_gone_is_made_again(venv, installed):
    build.setup(venv, ("inference",))
    build.venv_python(venv).unlink()
    assert build.read_stamp(venv) == {}
    build.setup(venv, ("inference",))
    assert installed == ["inference", "project"] * 2


def test_set_up_says_how_the_command_is_called(venv, installed, capsys):
    assert build.main(["setup", "--venv", str(venv)]) == 0
    assert str(build.venv_python(venv).parent / "activate") in capsys.readouterr().out.splitlines()[-1]


def test_the_help_speaks_to_people(capsys):
    with pytest.raises(SystemExit):
        build.main(["--help"])
    verbs = capsys.readouterr().out.split("verbs:\n")[1].splitlines()
    assert len(verbs) == len(build.VERBS)
    assert not [line for line in verbs if "`" in line or "return" in line.lower()]


def test_no_suitable_python_is_said_in_a_sentence(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("MOUTHPIECE_PYTHON", str(tmp_path / "nothing"))
    assert build.main(["setup", "--venv", str(tmp_path / "venv")]) == 1
    error = capsys.readouterr().err
    assert "3.11" in error
    assert error.count("\n") == 1


def test_missing_debian_packages_are_named_for_those_who_are_not_root(monkeypatch):
    monkeypatch.setattr(build.os, "geteuid", lambda: 1000, raising=False)
    with pytest.raises(build.BuildError, match="sudo apt-get install -y libx11-6"):
        build.install_packages(["libx11-6"], "Blender needs libX11.so.6", "sudo apt-get install -y libx11-6")


@pytest.mark.parametrize("group", build.GROUPS)
def test_requirements_are_pinned(group):
    lines = (ROOT / "requirements" / f"{group}.txt").read_text("utf-8").splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    assert wanted
    assert not [line for line in wanted if not re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*(; python_version .*)?", line)]


def test_inference_does_not_ask_for_blender_or_mediapipe():
    text = (ROOT / "requirements" / "inference.txt").read_text("utf-8")
    assert not re.search(r"^(bpy|mediapipe|opencv|jax)", text, re.MULTILINE)


def write_tree(root: Path) -> None:
    files = (
        "blender_addon/panels.py",
        "backend/__main__.py",
        "backend/__pycache__/x.pyc",
        "models/actors/a/actor.json",
    )
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    for name in ("shape_keys", "requirements"):
        (root / name).mkdir()
    for name in build.ADDON_FILES:
        (root / name).write_text(name)
    (root / "blender_addon/blender_manifest.toml").write_text('id = "mouthpiece"\nversion = "1.2.3"\n')


def test_the_addon_zip_carries_the_backend(tmp_path, monkeypatch):
    write_tree(tmp_path)
    monkeypatch.setattr(build, "ROOT", tmp_path)
    build.addon(tmp_path / "no venv", [])
    target = tmp_path / "dist" / "mouthpiece-1.2.3.zip"
    first = target.read_bytes()
    names = set(zipfile.ZipFile(target).namelist())
    assert {"blender_manifest.toml", "panels.py", "bundle/backend/__main__.py", "bundle/build.py"} <= names
    assert "bundle/models/actors/a/actor.json" in names
    assert not [name for name in names if "__pycache__" in name]
    build.addon(tmp_path / "no venv", [])
    assert target.read_bytes() == first


@pytest.mark.blender
@pytest.mark.skipif(find_spec("bpy") is None, reason="Blender is not installed in this environment")
def test_blender_accepts_the_addon_zip():
    command = [sys.executable, "build.py", "addon", "--venv", sys.prefix]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "not validated" not in done.stdout
