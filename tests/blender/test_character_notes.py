"""What keeps a character still although its keys are baked is said."""

from pathlib import Path

import numpy as np
import pytest

from shape_keys.arkit import NAMES
from tests.blender.rigs import add_mesh
from tests.blender.scene_checks import empty_scene
from tests.blender.test_mesh_cache import bake_onto
from tests.blender_addon.example import make_animation

pytestmark = pytest.mark.blender


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """An animation in which every shape is half on."""
    weights = np.full((3, 52), 0.5, np.float32)
    return make_animation(tmp_path / "talk", 3, texture=False, weights=weights, weight_names=np.array(NAMES))


def bake_hindered(folder: str) -> list[list[str]]:
    """Characters that cannot move as baked, as keys and as a cache; one that can; two of different maps."""
    empty_scene()
    absolute, short, whole = (add_mesh(name, ["jawOpen", "mouthClose"]) for name in ("absolute", "short", "whole"))
    absolute.data.shape_keys.use_relative = False
    short.data.shape_keys.key_blocks["jawOpen"].slider_max = 0.4
    head, other = add_mesh("head", list(NAMES)), add_mesh("other", ["viseme_aa", "viseme_PP", "viseme_oh"])
    hat = add_mesh("hat", ["tilt"])
    cases = [[absolute], [short], [whole], [head, other, hat]]
    return [list(bake_onto(folder, items, "said", kind=kind).notes) for items in cases for kind in ("KEYS", "CACHE")]


def test_what_keeps_a_character_still_is_said(blender, talk: Path) -> None:
    stranger = "other keeps still: its shape keys are Oculus visemes (15); bake it by itself"
    assert blender(bake_hindered, folder=talk) == [
        ["absolute keeps still: its shape keys are absolute (tick Relative)"],
        [],
        ["1 shape keys are cut off by the range of their sliders (jawOpen)"],
        [],
        [],
        [],
        [stranger],
        [stranger],
    ]
