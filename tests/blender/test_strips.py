"""Lines as strips of the non-linear animation: each plays its own keys, wherever it is moved."""

from pathlib import Path

import numpy as np
import pytest

from shape_keys.arkit import INDEX, NAMES
from tests.blender.rigs import add_mesh, values_at
from tests.blender.scene_checks import bake, count_data, empty_scene
from tests.blender_addon.example import make_animation

pytestmark = pytest.mark.blender

FRAMES = 60
JAW = 0.5 - 0.5 * np.cos(np.arange(FRAMES) / 5)
TURNS = np.random.default_rng(5).uniform(-0.2, 0.2, (FRAMES, 3)).astype(np.float32)


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """An animation whose jaw and head move throughout."""
    weights = np.zeros((FRAMES, 52), np.float32)
    weights[:, INDEX["jawOpen"]] = JAW
    folder = tmp_path / "talk"
    return make_animation(folder, FRAMES, weights=weights, weight_names=np.array(NAMES), head_rotation=TURNS)


def scene_of_lines():
    scene = empty_scene()
    scene.render.fps = 25
    return scene


def bake_onto(folder: str, items: list, line: str, start: float, **options):
    import bpy

    from blender_addon.animation import read_animation
    from blender_addon.bake.character import bake_character
    from blender_addon.bake.options import ResultOptions

    animation = read_animation(Path(folder))
    return bake_character(bpy.context.scene, items, animation, line, start, options=ResultOptions(**options))


def jaw_error(item, start: float) -> float:
    """Largest distance of a character's jaw from the line that begins at a frame."""
    return max(abs(values_at(item, start + frame)["jawOpen"] - JAW[frame]) for frame in range(FRAMES))


def move_lines(folder: str) -> dict:
    """A character of two meshes says three lines; one is moved far on, one far back."""
    scene_of_lines()
    items = [add_mesh("head", ["jawOpen"]), add_mesh("teeth", ["jawOpen"])]
    starts = {"one": 1, "two": 200, "three": 400}
    for line, start in starts.items():
        bake_onto(folder, items, line, start)
    errors = []
    for line, start in (("one", 600), ("two", -300)):
        bake_onto(folder, items, line, start)
        starts[line] = start
        errors.append([jaw_error(item, start) for item in items for start in starts.values()])
    return {"errors": errors}


def test_a_moved_line_plays_as_it_was_and_hides_no_other(blender, talk: Path) -> None:
    assert np.max(blender(move_lines, folder=talk)["errors"]) < 1e-4


def share_a_line(folder: str) -> dict:
    """Two characters say lines of their own and one that both share, all pushed to strips."""
    scene_of_lines()
    anna, bob = add_mesh("anna", ["jawOpen"]), add_mesh("bob", ["jawOpen"])
    said = {"anna": (anna, {"first": 1, "hello": 300}), "bob": (bob, {"second": 700, "hello": 900})}
    for item, starts in said.values():
        for line, start in starts.items():
            bake_onto(folder, [item], line, start, push_to_nla=True)
    return {
        "errors": [jaw_error(item, start) for item, starts in said.values() for start in starts.values()],
        "strips": [
            [[strip.frame_start, strip.frame_end] for track in item.data.shape_keys.animation_data.nla_tracks
             for strip in track.strips] for item, _ in said.values()
        ],
    }  # fmt: skip


def test_a_line_of_two_characters_plays_for_each_where_it_says_it(blender, talk: Path) -> None:
    found = blender(share_a_line, folder=talk)
    assert max(found["errors"]) < 1e-4
    assert found["strips"] == [[[1, 60], [300, 359]], [[700, 759], [900, 959]]]


def move_a_head(folder: str) -> dict:
    """A talking head that nods, as strips, is moved on and back."""
    import bpy

    scene = scene_of_lines()
    errors = []
    for start in (1, 400, -200):
        _, baked = bake(folder, start=start, push_to_nla=True)
        for frame in (0, 17, 40, 59):
            scene.frame_set(start + frame)
            turned = baked.head.evaluated_get(bpy.context.evaluated_depsgraph_get()).rotation_euler
            errors.append(float(np.abs(np.array(turned) - TURNS[frame]).max()))
    return {"errors": errors}


def test_a_moved_head_turns_as_it_did(blender, talk: Path) -> None:
    assert max(blender(move_a_head, folder=talk)["errors"]) < 1e-4


def bake_while_tweaking(folder: str) -> dict:
    """Bakes onto a character and a head whose strip is being edited, in every kind."""
    from blender_addon.errors import AnimationError

    scene_of_lines()
    item = add_mesh("character", ["jawOpen"])
    bake_onto(folder, [item], "one", 1, push_to_nla=True)
    _, baked = bake(folder, push_to_nla=True)
    owners = [item.data.shape_keys, baked.head.data.shape_keys, baked.head]
    counts, said = count_data(), []
    for owner in owners:
        data = owner.animation_data
        data.nla_tracks[0].select = data.nla_tracks[0].strips[0].select = True
        data.use_tweak_mode = True
        assert data.use_tweak_mode
        for kind in ("KEYS", "SPARSE", "CACHE"):
            try:
                if owner == owners[0]:
                    bake_onto(folder, [item], "two", 100, kind=kind)
                else:
                    bake(folder, kind=kind)
                said.append("baked")
            except AnimationError as error:
                said.append(str(error))
        data.use_tweak_mode = False
    return {"said": said, "counts": [counts, count_data()]}


def test_tweak_mode_is_said_before_anything_is_changed(blender, talk: Path) -> None:
    found = blender(bake_while_tweaking, folder=talk)
    names = ["character"] * 3 + ["hello"] * 6
    for sentence, name in zip(found["said"], names, strict=True):
        assert sentence.startswith(f"A strip of {name} is in tweak mode")
    assert found["counts"][0] == found["counts"][1]
