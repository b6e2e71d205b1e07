"""espeak-ng's library is found where installers put it."""

import ctypes
from pathlib import Path

import pytest

from backend.errors import EnvironmentProblem
from backend.speech import espeak_library
from backend.speech.espeak_library import load_library


@pytest.fixture(autouse=True)
def loaded(monkeypatch):
    """Files load where they exist and are not of another processor; nothing is known by its name."""
    known = []

    def load(place: str) -> str:
        if not Path(place).is_file():
            raise OSError(f"{place}: cannot open shared object file")
        if Path(place).read_text() == "32 bits":
            raise OSError("[WinError 193] %1 is not a valid Win32 application")
        known.append(place)
        return place

    monkeypatch.setattr(ctypes, "CDLL", load)
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)
    monkeypatch.setattr(espeak_library.shutil, "which", lambda name: None)
    for name in espeak_library.WINDOWS_FOLDERS:
        monkeypatch.delenv(name, raising=False)
    return known


def install(folder: Path, name: str, content: str = "64 bits") -> str:
    folder.mkdir(parents=True)
    (folder / name).write_text(content)
    return str(folder / name)


def test_windows_installer(tmp_path, monkeypatch):
    place = install(tmp_path / "Program Files" / "eSpeak NG", "libespeak-ng.dll")
    older = install(tmp_path / "Program Files (x86)" / "eSpeak NG", "libespeak-ng.dll", "32 bits")
    monkeypatch.setenv("ProgramFiles(x86)", str(tmp_path / "Program Files (x86)"))
    with pytest.raises(EnvironmentProblem) as error:
        load_library("win32")
    assert older in str(error.value)
    assert "WinError 193" in str(error.value)
    assert "this Python of 64 bits" in str(error.value)
    monkeypatch.setenv("ProgramFiles", str(tmp_path / "Program Files"))
    assert load_library("win32") == (place, None)
    Path(place).with_name("espeak-ng-data").mkdir()
    assert load_library("win32") == (place, bytes(Path(place).parent))


def test_homebrew_and_macports(tmp_path, monkeypatch):
    monkeypatch.setattr(espeak_library, "MAC_FOLDERS", (str(tmp_path / "none"), str(tmp_path / "opt/homebrew/lib")))
    place = install(tmp_path / "opt/homebrew/lib", "libespeak-ng.dylib")
    assert load_library("darwin") == (place, None)


def test_beside_its_program(tmp_path, monkeypatch):
    program = install(tmp_path / "cellar" / "bin", "espeak-ng")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "espeak-ng").symlink_to(program)
    monkeypatch.setattr(espeak_library.shutil, "which", lambda name: str(tmp_path / "bin" / name))
    place = install(tmp_path / "cellar" / "lib", "libespeak-ng.dylib")
    assert load_library("darwin")[0] == place
    beside = install(tmp_path / "portable", "libespeak-ng.dll")
    monkeypatch.setattr(espeak_library.shutil, "which", lambda name: str(tmp_path / "portable" / "espeak-ng.exe"))
    assert load_library("win32")[0] == beside


def test_the_name_on_windows_begins_with_lib(tmp_path, monkeypatch):
    place = install(tmp_path / "path", "libespeak-ng.dll")
    monkeypatch.setattr(ctypes.util, "find_library", {"libespeak-ng": place}.get)
    assert load_library("win32")[0] == place


@pytest.mark.parametrize(
    "platform, says",
    [("win32", r"\.msi"), ("darwin", "brew install"), ("linux", "apt install"), ("aix", "apt install")],
)
def test_where_there_is_none_it_says_how_to_install_it(platform, says):
    with pytest.raises(EnvironmentProblem, match=f"espeak-ng is not installed; .*{says}"):
        load_library(platform)
