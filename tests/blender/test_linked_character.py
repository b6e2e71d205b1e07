"""Characters that are linked from another file: each of their overrides is baked by itself."""

from pathlib import Path

import numpy as np
import pytest

from shape_keys.arkit import INDEX, NAMES
from tests.blender.rigs import add_mesh, values_at
from tests.blender.scene_checks import empty_scene, evaluated_vertices
from tests.blender.test_character import FRAMES, WEIGHTS, bake, scene_at
from tests.blender_addon.example import make_animation

pytestmark = pytest.mark.blender


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """An animation with all 52 weights moving, at 25 frames per second."""
    return make_animation(tmp_path / "talk", FRAMES, texture=False, weights=WEIGHTS, weight_names=np.array(NAMES))


def link_hero(library: str):
    """(empty scene, linked collection) of a character of two eyes that share a mesh, below an empty."""
    import bpy

    empty_scene()
    hero = bpy.data.collections.new("Hero")
    bpy.context.scene.collection.children.link(hero)
    root = bpy.data.objects.new("root", None)
    head = add_mesh("head", ["jawOpen"], root)
    head.data.shape_keys.key_blocks["jawOpen"].value = 0  # before Blender 5.0 it is that from the beginning
    for item in (root, head, bpy.data.objects.new("twin", head.data)):
        item.parent = None if item == root else root
        hero.objects.link(item)
    bpy.ops.wm.save_as_mainfile(filepath=library)
    scene = scene_at(25)
    with bpy.data.libraries.load(library, link=True) as (_, chosen):
        chosen.collections = ["Hero"]
    return scene, chosen.collections[0]


def bake_linked(folder: str, library: str, shot: str) -> dict:
    """Link a character, bake, override it as a person would, bake, save and open again."""
    import bpy

    from blender_addon.errors import MappingError

    scene, hero = link_hero(library)
    scene.collection.children.link(hero)
    try:
        bake(folder, [bpy.data.objects["head"]])
        said = "baked"
    except MappingError as error:
        said = str(error)
    local = hero.override_hierarchy_create(scene, bpy.context.view_layer)
    bake(folder, list(local.all_objects))
    bake(folder, list(local.all_objects))
    bpy.ops.wm.save_as_mainfile(filepath=shot)
    bpy.ops.wm.open_mainfile(filepath=shot)
    local = [item for item in bpy.data.objects if item.override_library is not None and item.type == "MESH"]
    lines = [action["mouthpiece_line"] for action in bpy.data.actions]  # before Blender 4.4 an action for each mesh
    return {"said": said, "jaw": [values_at(item, 5)["jawOpen"] for item in local], "lines": len(set(lines))}


def test_a_linked_character_is_baked_through_its_override(blender, talk: Path, tmp_path: Path) -> None:
    found = blender(bake_linked, folder=talk, library=tmp_path / "hero.blend", shot=tmp_path / "shot.blend")
    assert "library override" in found["said"]
    assert found["jaw"] == pytest.approx([WEIGHTS[4, INDEX["jawOpen"]]] * 2, abs=1e-4)
    assert found["lines"] == 1


def bake_overrides(folder: str, library: str, shot: str) -> dict:
    """Two overrides of a linked character: a line for one, then one for the other; reopened; then one for both."""
    import bpy

    scene, hero = link_hero(library)
    copies = [hero.override_hierarchy_create(scene, bpy.context.view_layer) for _ in range(2)]
    names = [[item.name for item in copy.all_objects if item.type == "MESH"] for copy in copies]

    def heights() -> list[list[float]]:
        return [[float(evaluated_vertices(bpy.data.objects[name], 8)[0, 2]) for name in copy] for copy in names]

    bake(folder, [bpy.data.objects[names[0][0]]], line="one")
    found = {"one": heights()}
    bake(folder, [bpy.data.objects[names[1][0]]], line="two", start=4)
    found["two"] = heights()
    bpy.ops.wm.save_as_mainfile(filepath=shot)
    bpy.ops.wm.open_mainfile(filepath=shot)
    found["opened"] = heights()
    found["driven"] = len(bake(folder, [bpy.data.objects[copy[0]] for copy in names], line="both", start=7).meshes)
    found["both"] = heights()
    return found


def test_overrides_of_one_character_speak_by_themselves(blender, talk: Path, tmp_path: Path) -> None:
    found = blender(bake_overrides, folder=talk, library=tmp_path / "hero.blend", shot=tmp_path / "shot.blend")
    first, second, both = (float(WEIGHTS[frame, INDEX["jawOpen"]]) for frame in (7, 4, 1))
    assert [len(copy) for copy in found["one"]] == [2, 2]
    np.testing.assert_allclose(found["one"], [[first] * 2, [0, 0]], atol=1e-4)
    np.testing.assert_allclose(found["two"], [[first] * 2, [second] * 2], atol=1e-4)
    np.testing.assert_allclose(found["opened"], found["two"], atol=1e-6)
    assert found["driven"] == 4
    np.testing.assert_allclose(found["both"], [[both] * 2] * 2, atol=1e-4)


def show_live(library: str) -> list[float]:
    """A live frame on two eyes of an override, which share a linked mesh; the values when live has ended."""
    import bpy

    from blender_addon.live import LiveFace
    from blender_addon.live_stream import LiveFrame
    from blender_addon.mapping import map_character
    from blender_addon.session import Target

    scene, hero = link_hero(library)
    copy = hero.override_hierarchy_create(scene, bpy.context.view_layer)
    eyes = [item for item in copy.all_objects if item.type == "MESH"]
    mapping = map_character({item.name: ["jawOpen"] for item in eyes})
    face = LiveFace(Target(scene.name, tuple(mapping.driven)), mapping)
    face.show(LiveFrame(0.0, np.ones(52, np.float32)), NAMES)
    shown = [item.data.shape_keys.key_blocks["jawOpen"].value for item in eyes]
    face.restore()
    return [*shown, *(item.data.shape_keys.key_blocks["jawOpen"].value for item in eyes)]


def test_a_linked_mesh_is_as_it_was_when_live_has_ended(blender, tmp_path: Path) -> None:
    assert blender(show_live, library=tmp_path / "hero.blend") == [1, 1, 0, 0]
