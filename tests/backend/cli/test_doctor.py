"""The checks of the environment."""

from pathlib import Path

import pytest

from backend import actor_library
from backend.__main__ import main
from backend.cli import doctor
from backend.cli.doctor import Library, check_library


def test_a_working_library():
    finding = check_library(Library("json", "import json; print('2.0.9')", "inference", "everything"))
    assert (finding.state, finding.detail, finding.fix) == ("good", "2.0.9", "")


def test_what_a_library_logs_is_not_its_version():
    finding = check_library(Library("bpy", "print('00:00.064 WARNING mounts'); print('5.0.1')", "blender", "scenes"))
    assert finding.detail == "5.0.1"


def test_a_missing_library_that_is_needed():
    finding = check_library(Library("nothing_at_all", "import nothing_at_all", "inference", "everything"))
    assert finding.state == "broken"
    assert "build.py setup --only inference" in finding.fix


def test_a_missing_library_that_only_one_verb_needs():
    finding = check_library(Library("nothing_at_all", "import nothing_at_all", "training", "training", needed=False))
    assert finding.state == "missing"
    assert "training" in finding.detail


@pytest.mark.parametrize("name", ["inference", "training", "speech", "blender"])
def test_what_is_installed_alone_is_said_to_be(name, tmp_path, monkeypatch):
    alone = "--no-deps" in (doctor.ROOT / f"requirements/{name}.txt").read_text()  # in its first line, for people
    monkeypatch.setattr(doctor, "ROOT", tmp_path)  # as the extension has it, without build.py
    finding = check_library(Library("nothing_at_all", "import nothing_at_all", name, name, needed=False))
    assert ("--no-deps" in finding.fix) == alone


def test_an_installed_library_that_does_not_load():
    probe = "raise ImportError('libX11.so.6: cannot open shared object file')"
    finding = check_library(Library("bpy", probe, "blender", "scenes", needed=False))
    assert finding.state == "broken"
    assert "libX11.so.6" in finding.detail


def test_a_library_that_hangs(monkeypatch):
    monkeypatch.setattr(doctor, "TIMEOUT", 0.2)
    assert check_library(Library("slow", "import time; time.sleep(60)", "blender", "scenes")).state == "broken"


@pytest.fixture
def quick(tmp_path, monkeypatch) -> Path:
    """No libraries to import, and an empty home."""
    monkeypatch.setattr(doctor, "LIBRARIES", ())
    monkeypatch.setenv(actor_library.HOME_VARIABLE, str(tmp_path))
    monkeypatch.setattr(actor_library, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setattr(actor_library, "VOICE", tmp_path / "voice")
    return tmp_path


def test_no_actor_at_all_is_a_fault(quick, capsys):
    assert main(["doctor"]) == 1
    assert "mouthpiece train" in capsys.readouterr().out


def test_a_home_that_cannot_be_written(quick, monkeypatch, capsys):
    (quick / "file").touch()
    monkeypatch.setenv(actor_library.HOME_VARIABLE, str(quick / "file"))
    assert main(["doctor"]) == 1
    assert actor_library.HOME_VARIABLE in capsys.readouterr().out


def test_no_service_is_no_fault(quick):
    assert doctor.check_service().state == "good"


def test_a_service_that_is_gone_is_named(quick):
    (quick / "service.json").write_text('{"url": "http://127.0.0.1:9", "token_file": "token", "pid": 1}')
    (quick / "token").write_text("x" * 43)
    finding = doctor.check_service()
    assert finding.state == "broken"
    assert "mouthpiece serve" in finding.fix


def test_the_folder_of_the_users_data_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv(actor_library.HOME_VARIABLE, str(tmp_path / "elsewhere"))
    data = next(finding for finding in doctor.check_folders() if finding.what == "your data")
    assert (data.state, data.detail) == ("good", str(tmp_path / "elsewhere"))
