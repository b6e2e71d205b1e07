"""Blender is found, or what to do is said; and what it prints is read, whatever the system."""

import re
import sys
from pathlib import Path

import pytest

from backend import blender
from backend.blender import find_blender, run_blender
from backend.errors import EnvironmentProblem


def test_an_installed_blender_is_found_where_installers_put_it(tmp_path, monkeypatch):
    monkeypatch.setattr(blender.shutil, "which", lambda name: None)
    monkeypatch.setenv("PROGRAMFILES", str(tmp_path))
    monkeypatch.setattr(blender, "MAC_APPLICATIONS", tmp_path)
    assert [find_blender(platform) for platform in ("win32", "darwin", "linux")] == [None] * 3
    for version in ("4.5", "10.0", "5.2"):
        (tmp_path / "Blender Foundation" / f"Blender {version}").mkdir(parents=True)
        (tmp_path / "Blender Foundation" / f"Blender {version}" / "blender.exe").touch()
    assert find_blender("win32") == str(tmp_path / "Blender Foundation" / "Blender 10.0" / "blender.exe")
    program = tmp_path / "Blender.app" / "Contents" / "MacOS" / "Blender"
    program.parent.mkdir(parents=True)
    program.touch()
    assert find_blender("darwin") == str(program)
    monkeypatch.setattr(blender.shutil, "which", lambda name: "/somewhere/blender")
    assert find_blender("win32") == "/somewhere/blender"


def test_what_blender_prints_may_be_of_any_encoding(tmp_path, monkeypatch):
    code = (
        "import os; os.write(1, b'Read blend: caf\\x81\\n'); os.write(2, b'Note: K\\xc3\\xb6pfe\\n');"
        """os.write(1, b'{"stage": "bake", "done": 1, "total": 2}\\n')"""
    )
    monkeypatch.setattr(blender, "blender_command", lambda: [sys.executable, "-c", code])
    told = []
    run_blender(tmp_path, tmp_path / "a.wav", [], None, 64, lambda *what: told.append(what), ("--character", "a.blend"))
    assert told == [("bake", 1, 2), ("Köpfe", 0, 0)]


@pytest.mark.parametrize("letters", [b"nicht gefunden; ausf\x81hren", "執行".encode("cp932")])
def test_a_stand_in_for_python_that_speaks_another_encoding_is_passed_over(tmp_path, letters):
    import build
    from blender_addon import python_finder

    program = tmp_path / "says.py"
    program.write_bytes(b"import os; os.write(1, %r); raise SystemExit(9)" % letters)
    command = (sys.executable, str(program))
    assert build.python_version(list(command)) is None
    assert python_finder.probe((sys.executable, "-c", program.read_text())) is None


def test_without_blender_the_sentence_names_what_this_python_can_install(monkeypatch):
    monkeypatch.setattr(blender, "find_spec", lambda name: None)
    monkeypatch.setattr(blender, "find_blender", lambda: None)
    with pytest.raises(EnvironmentProblem, match=re.escape(sys.executable)) as refused:
        blender.blender_command()
    file = str(refused.value).partition("-r ")[2].removesuffix(").")
    pins = Path(file).read_text("utf-8")
    for python in re.findall(r"3\.\d+", str(refused.value).partition("(")[0]):
        assert re.search(rf'bpy==\S+; python_version \S+ "3\.({python[2:]}|{int(python[2:]) + 1})"', pins)


def test_an_installed_blender_bakes_where_its_module_is_missing(monkeypatch):
    monkeypatch.setattr(blender, "find_spec", lambda name: None)
    monkeypatch.setattr(blender, "find_blender", lambda: "/opt/blender")
    assert blender.blender_command()[:2] == ["/opt/blender", "--background"]
