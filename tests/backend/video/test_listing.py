"""A folder stands for the videos in it."""

import pytest

from backend.errors import UsageError
from backend.video.listing import list_videos


def test_folders_give_their_videos_by_name_and_files_stay(tmp_path):
    for name in ("b.MP4", "a.mov", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "deep.mp4").mkdir()
    odd = tmp_path / "notes.txt"
    assert list_videos([tmp_path, odd]) == [tmp_path / "a.mov", tmp_path / "b.MP4", odd]


def test_a_folder_without_videos_gets_a_sentence(tmp_path):
    with pytest.raises(UsageError, match="holds no video"):
        list_videos([tmp_path])
