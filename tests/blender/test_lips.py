"""The lip texture shows the frame that the mouth shows, whatever becomes of a line's strip, keys and time."""

from pathlib import Path

import numpy as np
import pytest

from tests.blender.scene_checks import bake, empty_scene, evaluated_vertices
from tests.blender_addon.example import make_animation

pytestmark = pytest.mark.blender

FRAMES = 40


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """An animation of which no two frames are alike."""
    offsets = np.zeros((FRAMES, 468, 3), np.float32)
    offsets[:, 13, 1] = np.linspace(0, 0.1, FRAMES)
    return make_animation(tmp_path / "talk", FRAMES, offsets=offsets)


def shown(animation, places: list) -> list[list[float]]:
    """[frame of the mouth, number of the crop] at some scene frames."""
    import bpy

    head = next(item for item in bpy.data.objects if item.get("mouthpiece_line"))
    found = []
    for place in places:
        opening = evaluated_vertices(head, int(place // 1), place % 1)[13, 1] - animation.reference[13, 1]
        material = head.data.materials[0].evaluated_get(bpy.context.evaluated_depsgraph_get())
        crop = material.node_tree.nodes["Mouthpiece lips"].image_user.frame_offset
        found.append([float(opening) / 0.1 * (FRAMES - 1), crop])
    return found


def line_strip(head):
    """The strip that plays a head's line."""
    strips = [strip for track in head.data.shape_keys.animation_data.nla_tracks for strip in track.strips]
    return next(strip for strip in strips if strip.name != "At rest")


def move_all(folder: str, saved: str, kind: str) -> dict:
    """A line as it is, stretched by the scene, with its second half moved, and as a strip moved, scaled and faded."""
    import bpy

    from blender_addon.bake.curves import action_curves

    scene = empty_scene()
    animation, baked = bake(folder, kind=kind)
    found = {"plain": shown(animation, [-5, 1, 10, 10.3, 10.7, 40, 60])}
    scene.render.frame_map_old, scene.render.frame_map_new = 100, 200
    found["stretched"] = shown(animation, [2, 21, 22, 60, 80])
    scene.render.frame_map_new = 100
    for curve in action_curves(baked.action):
        for point in curve.keyframe_points:
            if point.co[0] > 20:
                for place in (point.co, point.handle_left, point.handle_right):
                    place[0] += 15
        curve.update()
    found["moved"] = shown(animation, [10, 40, 50, 55])
    baked = bake(folder, line="pushed", kind=kind, push_to_nla=True)[1]
    bpy.data.objects.remove(bpy.data.objects["hello"])
    strip = line_strip(baked.head)
    strip.frame_start_ui = 21
    found["strip"] = shown(animation, [21, 31, 50, 60])
    strip.scale = 2
    found["scaled"] = shown(animation, [21, 32, 61])
    strip.blend_out = 20
    faded = [strip.frame_end - part for part in (4, 10, 16)]
    found["faded"] = [[crop, (place - 21) / 2] for place, (_, crop) in zip(faded, shown(animation, faded), strict=True)]
    found["beside"] = shown(animation, [-5, 300])
    bpy.ops.wm.save_as_mainfile(filepath=saved, relative_remap=False)
    bpy.ops.wm.open_mainfile(filepath=saved, use_scripts=False)
    found["opened"] = shown(animation, [21, 32, 61])
    return found


@pytest.mark.parametrize("kind", ["KEYS", "SPARSE"])
def test_the_texture_goes_with_the_mouth(blender, talk: Path, tmp_path: Path, kind: str) -> None:
    found = blender(move_all, folder=talk, saved=tmp_path / "saved.blend", kind=kind)
    for place, pairs in found.items():
        for mouth, crop in pairs:
            assert abs(mouth - crop) < (0.55 if kind == "KEYS" else 1.6), (place, pairs)
    crops = {place: [crop for _, crop in pairs] for place, pairs in found.items()}
    assert crops["plain"] == [0, 0, 9, 9, 10, 39, 39]
    assert crops["stretched"] == [0, 10, 10, 29, 39]
    assert crops["strip"] == [0, 10, 29, 39]
    assert crops["beside"] == [0, 0]
    assert crops["opened"] == crops["scaled"]


def switch(folder: str) -> list:
    """What a head's shape keys carry, and its texture's crop halfway, as results of different kinds."""
    import bpy

    scene = empty_scene()
    found = []
    for options in ({}, {"texture": False}, {"kind": "SPARSE"}, {"kind": "CACHE"}, {}):
        head = bake(folder, **options)[1].head
        scene.frame_set(21)
        material = head.data.materials[0].evaluated_get(bpy.context.evaluated_depsgraph_get())
        crops = material.node_tree.nodes.get("Mouthpiece lips")
        keys = head.data.shape_keys
        found.append([None if keys is None else list(keys.keys()), crops and crops.image_user.frame_offset])
    return found


def test_a_line_without_crops_keys_none(blender, talk: Path) -> None:
    lips = ["Mouthpiece lips"]
    assert blender(switch, folder=talk) == [[lips, 20], [[], None], [lips, 20], [None, 20], [lips, 20]]


def stretch_cache(folder: str) -> list:
    """Mouth and crop of a mesh cache in a scene that plays at half its speed."""
    scene = empty_scene()
    animation, _ = bake(folder, kind="CACHE")
    scene.render.frame_map_old, scene.render.frame_map_new = 100, 200
    return shown(animation, [2, 22, 60])


def test_the_texture_of_a_mesh_cache_is_stretched_too(blender, talk: Path) -> None:
    found = blender(stretch_cache, folder=talk)
    assert [crop for _, crop in found] == [0, 10, 29]
    assert all(abs(mouth - crop) < 0.55 for mouth, crop in found)
