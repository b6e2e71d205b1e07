"""Patterns are expanded where the shell has not done it."""

from pathlib import Path

import pytest

from backend.__main__ import main
from backend.cli.patterns import expand
from backend.errors import UsageError


@pytest.fixture
def names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b.wav", "a.wav", "ab.wav", "notes.txt", ".hidden.wav", "take [1] a.wav", "take [1] b.wav"):
        Path(name).touch()
    return tmp_path


@pytest.mark.parametrize(
    "pattern, found",
    [
        ("?.wav", ["a.wav", "b.wav"]),
        ("*b.wav", ["ab.wav", "b.wav", "take [1] b.wav"]),
        ("take [1] *.wav", ["take [1] a.wav", "take [1] b.wav"]),
        ("take [1] a.wav", ["take [1] a.wav"]),
        ("[ab].wav", ["[ab].wav"]),
        ("missing.wav", ["missing.wav"]),
    ],
)
def test_stars_and_question_marks_alone_are_patterns(names, pattern, found):
    assert expand([Path(pattern)]) == list(map(Path, found))
    absolute = [names / name for name in found]
    assert expand([names / pattern]) == absolute


def test_what_exists_is_no_pattern(names):
    Path("what?.wav").touch()
    Path("what1.wav").touch()
    assert expand([Path("what?.wav")]) == [Path("what?.wav")]


def test_a_pattern_that_matches_nothing_is_a_sentence(names):
    with pytest.raises(UsageError, match=r"No file matches lines.\*\.wav; check"):
        expand([Path("a.wav"), Path("lines/*.wav")])


@pytest.mark.parametrize(
    "verb",
    [
        ("animate", "lines/*.wav", "--actor", "default", "--out", "out"),
        ("inspect", "lines/*.wav", "--out", "out"),
        ("train", "lines/*.wav", "--actor", "anna", "--consent", "consent.json"),
        ("evaluate", "default", "lines/*.wav"),
    ],
)
def test_every_verb_expands(names, verb, capsys):
    assert main(list(verb)) == 2
    assert "No file matches" in capsys.readouterr().err


def test_all_that_match_are_animated(place):
    Path("b.wav").write_bytes(Path("a.wav").read_bytes())
    Path("corrupt.wav").unlink()
    assert main(["animate", "*.wav", "--actor", "voice", "--out", "out"]) == 0
    assert sorted(path.name for path in Path("out").iterdir()) == ["a", "b"]
