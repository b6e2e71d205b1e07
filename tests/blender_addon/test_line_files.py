"""The artist's files in a line's folder are told from ours."""

import os
from pathlib import Path

import pytest

from backend import animation_file, file_names
from blender_addon import line_files
from blender_addon.line_files import artists_file, safe_name
from tests.blender_addon.example import make_animation, write_words


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """All that is ours in a line's folder, and what file managers leave there."""
    folder = make_animation(tmp_path / "line", frames=3)
    write_words(folder)
    for name in ("speech.wav", "line.pc2", "Thumbs.db", "atlas/.DS_Store"):
        (folder / name).write_bytes(b"something")
    later = (folder / "animation.npz").stat().st_mtime + 3600
    for name in ("line.pc2", "Thumbs.db"):
        os.utime(folder / name, (later, later))
    return folder


def test_what_is_ours_is_what_the_backend_says() -> None:
    assert line_files.ANIMATION == animation_file.ANIMATION
    assert line_files.LINE_FILES.pattern == animation_file.ANIMATION_FILES.pattern
    assert line_files.NOBODYS_FILES.pattern == animation_file.NOBODYS_FILES.pattern
    assert line_files.DEVICE == file_names.DEVICE


@pytest.mark.parametrize(
    "name, folder",
    [
        ("line 1", "line 1"),
        ("take: 2/3", "take_ 2_3"),
        ("Über", "Über"),
        ("nul", "_nul"),
        ("Com1", "_Com1"),
        ("comma", "comma"),
        ("aux.wav", "aux_wav"),
        ("", "line"),
        ("a" * 79 + " b", "a" * 79),
    ],
)
def test_a_line_s_folder_has_a_name_on_every_system(name: str, folder: str) -> None:
    assert safe_name(name) == folder


def test_our_own_files_are_nobody_elses(folder: Path) -> None:
    assert artists_file(folder) is None
    assert artists_file(folder / "nothing") is None


@pytest.mark.parametrize("name", ["atlas/0002.psd", "painted_atlas.png", "retouch", "deep/er.txt", "caches/line.pc2"])
def test_other_files_are_the_artists(folder: Path, name: str) -> None:
    path = folder / name
    if path.suffix:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    else:
        path.mkdir()
    assert (artists_file(folder) or "").split("/")[0] == name.split("/")[0]


@pytest.mark.parametrize("name", ["atlas/0002.png", "reference_atlas.png", "markers.json"])
def test_so_is_one_of_ours_that_was_painted_over(folder: Path, name: str) -> None:
    made = (folder / "animation.npz").stat().st_mtime
    for seconds, found in ((5, None), (600, name)):
        os.utime(folder / name, (made + seconds, made + seconds))
        assert artists_file(folder) == found
