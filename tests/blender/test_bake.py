"""The bake: mesh, shape keys, one action a line, replaced when baked again."""

from pathlib import Path

import numpy as np
import pytest

from tests.blender.scene_checks import bake, count_data, empty_scene, evaluated_vertices, largest_error, strips
from tests.blender.sound import write_tone
from tests.blender_addon.example import make_animation, motion

pytestmark = pytest.mark.blender


def measure_bake(folder: str) -> dict:
    """Bake into an empty scene and measure what came out."""
    import bpy
    import mathutils

    from blender_addon.bake.curves import action_curves

    empty_scene()
    animation, baked = bake(folder, start=5)
    curves = list(action_curves(baked.action))
    coordinates = np.empty(2 * len(baked.head.data.loops), np.float32)
    corners = np.empty(len(baked.head.data.loops), np.int32)
    baked.head.data.uv_layers[0].data.foreach_get("uv", coordinates)
    baked.head.data.loops.foreach_get("vertex_index", corners)
    return {
        "vertices": len(baked.head.data.vertices),
        "faces": len(baked.head.data.polygons),
        "keys": [key.name for key in baked.head.data.shape_keys.key_blocks],
        "sliders": [(key.slider_min, key.slider_max) for key in baked.head.data.shape_keys.key_blocks[1:]],
        "action": baked.action.name,
        "driving": baked.head.data.shape_keys.animation_data.action.name,
        "actions": len(bpy.data.actions),
        "keyframes": [len(curve.keyframe_points) for curve in curves],
        "first": [curve.keyframe_points[0].co[0] for curve in curves],
        "interpolation": sorted({point.interpolation for curve in curves for point in curve.keyframe_points}),
        "error": largest_error(baked.head, animation, [0, 3, 7, 11, 14], start=5),
        "before": float(np.abs(evaluated_vertices(baked.head, 1) - animation.reference).max()),
        "uv": float(np.abs(coordinates.reshape(-1, 2) - animation.uv[corners]).max()),
        "provenance": [baked.head["mouthpiece_provenance"], bpy.context.scene["mouthpiece_provenance"]],
        "up": list(baked.head.matrix_world.to_3x3() @ mathutils.Vector((0, 1, 0))),
    }


def test_a_bake_is_exact_and_tidy(blender, tmp_path: Path) -> None:
    found = blender(measure_bake, folder=make_animation(tmp_path / "a", frames=15))
    assert found["vertices"] == 468
    assert found["faces"] == 898
    # The example moves in two independent ways; the first key is what they start from.
    assert found["keys"] == ["Basis", "Mouthpiece 00", "Mouthpiece 01", "Mouthpiece 02"]
    assert all(low <= -1 and high >= 1 for low, high in found["sliders"])
    assert found["action"] == found["driving"] == "hello"
    assert found["actions"] == 1
    assert found["keyframes"] == [15, 15, 15, 15, 2]  # the last two say which lip crop shows
    assert found["first"] == [5] * 5
    assert found["interpolation"] == ["LINEAR"]
    assert found["error"] < 1e-4
    assert found["before"] < 1e-6
    assert found["uv"] < 1e-6
    assert all('"tool": "example"' in text for text in found["provenance"])
    np.testing.assert_allclose(found["up"], [0, 0, 1], atol=1e-6)


def bake_twice(first: str, second: str, sound: str) -> dict:
    """Bake a line, move the head, bake the line again, and a second line beside it."""
    import bpy

    scene = empty_scene()
    _, baked = bake(first, sound)
    counts = [count_data()]
    names = [baked.action.name, baked.head.data.name, baked.head.data.materials[0].name]
    baked.head.location = (1, 2, 3)
    animation, baked = bake(second, sound)
    counts.append(count_data())
    names_again = [baked.action.name, baked.head.data.name, baked.head.data.materials[0].name]
    error = largest_error(baked.head, animation, [0, 5, 19])
    strip_count = len(strips(scene))
    scene.cursor.location = (4, 5, 6)
    _, other = bake(first, sound, line="other")
    return {
        "counts": counts,
        "names": [names, names_again],
        "location": list(baked.head.location),
        "at_cursor": [list(place) for place in (other.head.location, other.head.matrix_world.translation)],
        "error": error,
        "strips": [strip_count, len(strips(scene))],
        "heads": len(scene.objects),
        "sound": bpy.app.build_options.audaspace,
        "error_beside": largest_error(baked.head, animation, [0, 5, 19]),
    }


def test_baking_a_line_again_replaces_it(blender, tmp_path: Path) -> None:
    first = make_animation(tmp_path / "a", frames=15)
    second = make_animation(tmp_path / "b", frames=20, offsets=-motion(20))
    found = blender(bake_twice, first=first, second=second, sound=write_tone(tmp_path / "tone.wav", 0.6))
    assert found["counts"][0] == found["counts"][1]
    assert found["names"][0] == found["names"][1]
    assert found["location"] == [1, 2, 3]
    assert found["at_cursor"] == [[4, 5, 6]] * 2
    assert found["error"] < 1e-4
    assert found["strips"] == ([1, 2] if found["sound"] else [0, 0])
    assert found["heads"] == 2
    assert found["error_beside"] < 1e-4


def bake_still(folder: str) -> dict:
    """Bake a face that never moves."""
    empty_scene()
    animation, baked = bake(folder)
    return {"error": largest_error(baked.head, animation, [0, 2]), "action": baked.action.name}


def test_a_still_face_has_an_action_too(blender, tmp_path: Path) -> None:
    folder = make_animation(tmp_path / "a", frames=3, offsets=np.zeros((3, 468, 3), np.float32))
    assert blender(bake_still, folder=folder) == {"error": 0.0, "action": "hello"}


def bake_long(folder: str) -> dict:
    """Bake a line of many frames."""
    empty_scene()
    animation, baked = bake(folder)
    return {"keys": baked.shape_keys, "error": largest_error(baked.head, animation, [0, 500, 1499])}


def test_a_minute_has_as_many_shape_keys_as_it_has_movements(blender, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    offsets = (random.standard_normal((1500, 24)) @ random.standard_normal((24, 1404)) * 0.003).astype(np.float32)
    folder = make_animation(tmp_path / "a", frames=1500, texture=False, offsets=offsets.reshape(1500, 468, 3))
    found = blender(bake_long, folder=folder)
    assert found["keys"] == 1 + 24
    assert found["error"] < 1e-4


def bake_with_text_for_sound(folder: str, sound: str) -> dict:
    """Bake with a file that is no sound."""
    scene = empty_scene()
    _, baked = bake(folder, sound)
    return {"strips": len(strips(scene)), "sounds": count_data()["sounds"], "says": baked.shortcomings()}


def test_an_unreadable_sound_is_reported(blender, tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound")
    folder = make_animation(tmp_path / "a", frames=3, texture=False)
    found = blender(bake_with_text_for_sound, folder=folder, sound=tmp_path / "text.wav")
    assert (found["strips"], found["sounds"]) == (0, 0)
    assert "no sound strip" in found["says"][0]
