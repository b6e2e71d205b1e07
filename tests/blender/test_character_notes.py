"""What keeps a character still although its keys are baked is said."""

from pathlib import Path

import numpy as np
import pytest

from shape_keys.arkit import NAMES
from tests.blender.rigs import add_mesh
from tests.blender.scene_checks import empty_scene
from tests.blender.test_mesh_cache import bake_onto, heights
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


def bake_switched_off(folder: str) -> dict:
    """A key that is switched off and driven, and a mesh that shows one key only, as keys and as a cache."""
    empty_scene()
    off, locked = add_mesh("off", ["jawOpen"]), add_mesh("locked", ["mine", "mouthClose"])
    for item in (off, locked):
        for key in item.data.shape_keys.key_blocks:
            key.value = 0
    off.data.shape_keys.key_blocks["jawOpen"].mute = True
    off.data.shape_keys.key_blocks["jawOpen"].driver_add("value").driver.expression = "0"
    locked.show_only_shape_key = True
    found = {}
    for kind in ("KEYS", "CACHE"):
        found[kind] = list(bake_onto(folder, [off, locked], "said", kind=kind).notes)
        found[kind] += [heights(item, [2])[0] for item in (off, locked)]
    return found


def test_what_a_cache_does_not_mind_is_said_of_keys_alone(blender, talk: Path) -> None:
    assert blender(bake_switched_off, folder=talk) == {
        "KEYS": [
            "locked shows one shape key only (Shape Key Lock is on)",
            "1 shape keys are switched off (jawOpen)",
            "1 shape keys follow drivers of the rig instead of the bake (jawOpen)",
            *(0, 0),
        ],
        "CACHE": [0.5, 0.5],
    }


def bake_over_others(folder: str) -> list:
    """Caches of a mesh whose other shape keys follow keys, a strip and a driver; one is switched off, one not moved."""
    import bpy

    empty_scene()
    item = add_mesh("head", ["jawOpen", "keyed", "strip", "driven", "off", "mine"])
    keys = item.data.shape_keys
    for block in keys.key_blocks:
        block.value = 0
    keys.key_blocks["strip"].keyframe_insert("value", frame=1)
    data = keys.animation_data
    action, slot = data.action, getattr(data, "action_slot", None)
    data.action = None
    strip = data.nla_tracks.new().strips.new("strip", 1, action)
    if slot is not None:
        strip.action_slot = slot
    for block, value in ((keys.key_blocks["keyed"], 0.25), (keys.key_blocks["off"], 1)):
        for frame in (1, 3):
            block.value = value * (frame - 1)
            block.keyframe_insert("value", frame=frame)
    keys.key_blocks["off"].mute = True
    keys.key_blocks["driven"].driver_add("value").driver.expression = "0.125"
    found = []
    for frame in (1, 3):
        bpy.context.scene.frame_set(frame)
        found += [list(bake_onto(folder, [item], "said", kind="CACHE").notes), *heights(item, [1, 2])]
    return [*found, list(bake_onto(folder, [item], "said", kind="KEYS").notes)]


def test_what_a_cache_holds_still_is_said(blender, talk: Path) -> None:
    said = ["3 shape keys of head keep still while the mesh cache plays (keyed)"]
    assert blender(bake_over_others, folder=talk) == [said, 0.625, 0.625, said, 1.125, 1.125, []]


def bake_below_solo(folder: str) -> list:
    """A line while a strip of another plays alone, as keys and as a cache; then with its own track alone; then none."""
    empty_scene()
    item = add_mesh("head", ["jawOpen", "mouthClose"])
    for block in item.data.shape_keys.key_blocks:
        block.value = 0
    bake_onto(folder, [item], "other", 100, "KEYS")
    bake_onto(folder, [item], "said", 1, "KEYS")
    tracks = item.data.shape_keys.animation_data.nla_tracks
    tracks["other"].is_solo = True
    found = []
    for line, kind in (("said", "KEYS"), ("other", "KEYS"), ("third", "CACHE")):
        found += [list(bake_onto(folder, [item], line, 100 if line == "other" else 1, kind).notes)]
        found += [height == 1 for height in heights(item, [2, 101])]
    found.append(list(bake_onto(folder, [item], "third", 1, "KEYS").notes))
    tracks["other"].is_solo = False
    return [*found, *heights(item, [2]), list(bake_onto(folder, [item], "third", 1, "KEYS").notes)]


def test_a_track_that_plays_alone_is_said(blender, talk: Path) -> None:
    said = [
        "head does not show the line: its track other plays alone (click its star in the Nonlinear Animation editor)"
    ]
    hidden = ["said will not show while the mesh cache plays"]
    found = blender(bake_below_solo, folder=talk)
    assert found == [said, False, True, [], False, True, hidden, True, True, said, 1, []]
