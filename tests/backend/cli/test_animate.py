"""From the command line's words to requests."""

from pathlib import Path

import pytest

from backend.__main__ import build_parser
from backend.cli.animate import build_requests
from backend.errors import UsageError


def requests(*arguments: str):
    return build_requests(build_parser().parse_args(["animate", *arguments, "--actor", "anna"]))


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
    assert first.outputs == (Path("shots/a"), Path("films/a/shot.mp4"))
    assert second.outputs == (Path("shots/b"), Path("films/b/shot.mp4"))


def test_recordings_that_would_share_a_folder_are_refused():
    with pytest.raises(UsageError, match="'a'"):
        requests("a.wav", "other/a.mp3", "--out", "shots")


def test_the_same_output_twice_is_refused():
    with pytest.raises(UsageError, match="twice"):
        requests("a.wav", "--out", "a.glb", "--out", "a.glb")
