"""Words of a line: read in order, and refused where the file is damaged."""

import json
from pathlib import Path

import pytest

from blender_addon.errors import AnimationError
from blender_addon.words import Word, read_words


def write(folder: Path, content: object) -> Path:
    (folder / "markers.json").write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return folder


def word(text: str, start: float, end: float) -> dict:
    return {"text": text, "start": start, "end": end}


def test_words_come_in_the_order_of_time(tmp_path: Path) -> None:
    words = [word("world", 0.5, 0.9), word("hello", 0.1, 0.4)]
    folder = write(tmp_path, {"format": 1, "words": words, "phones": []})
    assert read_words(folder) == (Word("hello", 0.1, 0.4), Word("world", 0.5, 0.9))


def test_without_a_file_there_are_no_words(tmp_path: Path) -> None:
    assert read_words(tmp_path) == ()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "damaged"),
        ({"format": 1}, "damaged"),
        ({"format": 2, "words": []}, "format 2"),
        ({"format": 1, "words": [word("late", 2, 1)]}, "impossible times"),
        ({"format": 1, "words": [word("never", float("nan"), 1)]}, "impossible times"),
        ({"format": 1, "words": ["text"]}, "damaged"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: object, words: str) -> None:
    with pytest.raises(AnimationError, match=words):
        read_words(write(tmp_path, content))
