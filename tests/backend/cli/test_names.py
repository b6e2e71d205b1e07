"""Recordings and scenes may have names that are no text."""

from pathlib import Path

import pytest

from backend.__main__ import main
from tests.backend.test_file_names import BYTES_ARE_NAMES, NO_TEXT


@BYTES_ARE_NAMES
def test_a_recording_whose_name_is_no_text_becomes_a_scene(place):
    pytest.importorskip("bpy")
    Path("a.wav").rename(f"{NO_TEXT}.wav")
    assert main(["animate", f"{NO_TEXT}.wav", "--actor", "voice", "--out", "shot.glb"]) == 0
    assert Path("shot.glb").is_file()


@BYTES_ARE_NAMES
def test_a_scene_whose_name_is_no_text_is_refused(place, capsys):
    assert main(["animate", "a.wav", "--actor", "voice", "--out", f"{NO_TEXT}.blend"]) == 2
    assert "none in Unicode" in capsys.readouterr().err
