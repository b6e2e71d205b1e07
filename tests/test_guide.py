"""The guide covers what there is: every option, every array, every folder's file."""

import argparse
import re
from dataclasses import fields
from pathlib import Path

import pytest

from backend.__main__ import VERBS, build_parser
from backend.animation_file import ATLAS_FOLDER, ATLAS_RECTANGLE, REFERENCE_ATLAS, Animation
from backend.errors import Cancelled, MouthpieceError, UsageError
from backend.inference.live_link import EYES, HEAD
from backend.inference.request import ENDINGS
from blender_addon.client import default_home

GUIDE = Path(__file__).resolve().parents[1] / "docs" / "guide"
PAGES = {path.stem: path.read_text("utf-8") for path in sorted(GUIDE.glob("*.md"))}


def options(verb: str) -> list[str]:
    """The long options of a verb."""
    (verbs,) = (action for action in build_parser()._actions if isinstance(action, argparse._SubParsersAction))
    found = (name for action in verbs.choices[verb]._actions for name in action.option_strings)
    return [name for name in found if name.startswith("--") and name != "--help"]


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_is_explained(verb):
    text = "".join(PAGES.values())
    assert not [name for name in options(verb) if not re.search(rf"{name}(?![\w-])", text)]


def test_the_page_of_outputs_names_every_array_and_file():
    page = PAGES["outputs"]
    named = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    assert {"format", *(field.name for field in fields(Animation))} <= named
    assert not [name for name in (f"`{ATLAS_FOLDER}/0001.png`", ATLAS_RECTANGLE, REFERENCE_ATLAS) if name not in page]
    assert not [ending for ending in ENDINGS if f"`{ending}`" not in page]
    assert not [column for column in (*HEAD, EYES[0], EYES[-1]) if f"`{column}`" not in page]


def test_the_page_of_the_command_line_names_every_exit_code():
    named = set(map(int, re.findall(r"^\| (\d+) \|", PAGES["command_line"], re.MULTILINE)))
    assert {0, MouthpieceError.exit_code, UsageError.exit_code, Cancelled.exit_code} <= named


def test_the_page_of_the_set_up_names_this_systems_folder(monkeypatch):
    for name in ("MOUTHPIECE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    for system, folder in (("linux", "~/.local/share"), ("darwin", "~/Library/Application Support")):
        monkeypatch.setattr("sys.platform", system)
        assert default_home() == Path(folder).expanduser() / "mouthpiece"
        assert f"`{folder}/mouthpiece`" in PAGES["setting_up"]
