"""Talking heads and lines that are linked from another file: what is linked is never written into."""

from pathlib import Path

import numpy as np
import pytest

from shape_keys.arkit import INDEX, NAMES
from tests.blender.rigs import add_mesh, values_at
from tests.blender.scene_checks import bake, count_data, empty_scene, evaluated_vertices
from tests.blender.test_character import FRAMES, WEIGHTS, scene_at
from tests.blender.test_character import bake as bake_onto
from tests.blender_addon.example import make_animation, motion

pytestmark = pytest.mark.blender


def link(library: str, name: str):
    """(scene, a collection of a library) in an empty file."""
    import bpy

    scene = scene_at(25)
    with bpy.data.libraries.load(library, link=True) as (_, chosen):
        chosen.collections = [name]
    return scene, chosen.collections[0]


def bake_spoken(folder: str, other: str, library: str, shot: str) -> dict:
    """A character that speaks a line in its own file, overridden in another: the line again, saved and opened."""
    import bpy

    empty_scene()
    hero = bpy.data.collections.new("Hero")
    bpy.context.scene.collection.children.link(hero)
    hero.objects.link(add_mesh("head", ["jawOpen"]))
    bake_onto(folder, [bpy.data.objects["head"]], line="said")
    bpy.ops.wm.save_as_mainfile(filepath=library)
    scene, linked = link(library, "Hero")
    local = linked.override_hierarchy_create(scene, bpy.context.view_layer)
    bake_onto(other, [item for item in local.all_objects if item.type == "MESH"], line="said")
    made = [action for action in bpy.data.actions if "mouthpiece_line" in action]
    found = {"linked": sorted(action.library is not None for action in made)}
    bpy.ops.wm.save_as_mainfile(filepath=shot)
    bpy.ops.wm.open_mainfile(filepath=shot)
    head = next(item for item in bpy.data.objects if item.override_library is not None and item.type == "MESH")
    return {**found, "jaw": [values_at(head, frame)["jawOpen"] for frame in (3, 5)]}


def test_a_line_whose_action_is_linked_gets_one_of_its_own(blender, tmp_path: Path) -> None:
    talks = [
        make_animation(tmp_path / name, FRAMES, texture=False, weights=weights, weight_names=np.array(NAMES))
        for name, weights in (("talk", WEIGHTS), ("other", 1 - WEIGHTS))
    ]
    files = {"library": tmp_path / "hero.blend", "shot": tmp_path / "shot.blend"}
    found = blender(bake_spoken, folder=talks[0], other=talks[1], **files)
    assert found["linked"] == [False, True]
    assert found["jaw"] == pytest.approx(1 - WEIGHTS[[2, 4], INDEX["jawOpen"]], abs=1e-4)


def bake_linked_head(folder: str, other: str, library: str, shot: str) -> dict:
    """A head's line where the head is linked, overridden, and local again; what is said, and what is left of it."""
    import bpy

    from blender_addon.bake.talking_head import check_mesh
    from blender_addon.errors import AnimationError

    empty_scene()
    bake(folder)
    bpy.ops.wm.save_as_mainfile(filepath=library)
    scene, linked = link(library, "hello")
    scene.collection.children.link(linked)
    baked = bake(other)[1]
    found = {"beside": [baked.head.library is None, len(scene.objects)]}
    scene, linked = link(library, "hello")
    (head,) = linked.override_hierarchy_create(scene, bpy.context.view_layer).all_objects
    said, before = [], count_data()
    for attempt in (lambda: bake(other), lambda: bake(other, kind="CACHE"), lambda: check_mesh(head)):
        try:
            attempt()
        except AnimationError as error:
            said.append(str(error))
    found |= {"said": said, "unchanged": before == count_data(), "mesh": evaluated_vertices(head, 4).tolist()}
    head.make_local()
    head.data.make_local()
    bake(other)
    bpy.ops.wm.save_as_mainfile(filepath=shot)
    bpy.ops.wm.open_mainfile(filepath=shot)
    return {**found, "local": evaluated_vertices(bpy.data.objects["hello"], 4).tolist()}


def test_a_linked_head_is_left_alone(blender, tmp_path: Path) -> None:
    folder, other = (
        make_animation(tmp_path / name, FRAMES, offsets=sign * motion(FRAMES)) for name, sign in (("a", 1), ("b", -1))
    )
    files = {"library": tmp_path / "face.blend", "shot": tmp_path / "shot.blend"}
    found = blender(bake_linked_head, folder=folder, other=other, **files)
    assert found["beside"] == [True, 2]
    assert len(found["said"]) == 3
    assert all("is linked from face.blend; make its mesh local" in said for said in found["said"])
    assert found["unchanged"]
    still = np.array(found["mesh"]) - motion(FRAMES)[3]
    np.testing.assert_allclose(np.array(found["local"]) + motion(FRAMES)[3], still, atol=1e-4)
