"""Options from dataclasses."""

import argparse
from dataclasses import dataclass

import pytest

from backend.cli.options import add_options, field_docs


@dataclass(frozen=True)
class Example:
    """What is asked for."""

    speed: float = 1.5
    """Of the motion, in 100 % of the original."""
    frame_count: int = 3
    """How many.

    Not more.
    """
    sound: bool = True
    """Play it."""
    quiet: bool = False
    """Say nothing."""
    undocumented: int = 0


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_options(parser, Example, ("speed", "frame_count", "sound", "quiet"))
    parser.format_help()  # fails on a stray % in a docstring
    return parser.parse_args(arguments)


def test_docstrings_of_fields():
    docs = field_docs(Example)
    assert docs["frame_count"] == "How many.\n\nNot more."
    assert docs["sound"] == "Play it."
    assert "undocumented" not in docs


def test_defaults_are_the_dataclass_s():
    assert vars(parse()) == {"speed": 1.5, "frame_count": 3, "sound": True, "quiet": False}


def test_values_take_the_type_of_the_field():
    assert vars(parse("--speed", "2", "--frame-count", "7", "--no-sound", "--quiet")) == {
        "speed": 2.0,
        "frame_count": 7,
        "sound": False,
        "quiet": True,
    }


def test_another_type_is_refused():
    with pytest.raises(SystemExit):
        parse("--frame-count", "many")
