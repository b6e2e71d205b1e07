"""Characters: every mesh driven, exact, one action a line, replaced when baked again, hand-made keys kept."""

from pathlib import Path

import numpy as np
import pytest

from blender_addon.animation import read_animation
from shape_keys.arkit import INDEX, NAMES
from tests.blender.rigs import add_mesh, curves_of, select, values_at
from tests.blender.scene_checks import count_data, empty_scene, evaluated_vertices
from tests.blender_addon.example import make_animation

pytestmark = pytest.mark.blender

FRAMES = 15
WEIGHTS = np.random.default_rng(3).random((FRAMES, 52)).astype(np.float32)


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """An animation with all 52 weights moving, at 25 frames per second."""
    return make_animation(tmp_path / "talk", FRAMES, texture=False, weights=WEIGHTS, weight_names=np.array(NAMES))


def bake(folder: str, items: list, line: str = "hello", start: float = 1.0, **options):
    import bpy

    from blender_addon.bake.character import bake_character
    from blender_addon.bake.characters import character_meshes

    meshes = character_meshes(items)
    return bake_character(bpy.context.scene, meshes, read_animation(Path(folder)), line, start, **options)


def scene_at(fps: int):
    """Empty Blender at a frame rate; returns the scene."""
    scene = empty_scene()
    scene.render.fps = fps
    return scene


def drive_four_meshes(folder: str) -> dict:
    """A head with teeth, tongue and lashes below an empty, and a second character of another style."""
    import bpy

    scene = scene_at(30)
    root = bpy.data.objects.new("root", None)
    scene.collection.objects.link(root)
    head = add_mesh("head", [f"Face.M_{name}" for name in NAMES], root)
    teeth = add_mesh("teeth", ["JawOpen", "jaw_left"], root)
    tongue = add_mesh("tongue", ["jawOpen", "tongueOut"], root)
    add_mesh("hat", ["tilt"], root)
    other = add_mesh("other", ["viseme_aa", "viseme_sil", "eyeBlink_L"])
    baked = bake(folder, [head], start=3.5)
    second = bake(folder, [other], line="answer", start=3.5)
    at = [3.5 + frame * 30 / 25 for frame in range(FRAMES)]
    return {
        "meshes": sorted(mesh.name for mesh in baked.meshes),
        "second": sorted(mesh.name for mesh in second.meshes),
        "actions": sorted(action.name for action in bpy.data.actions),
        "slots": [len(getattr(action, "slots", [0])) for action in (*baked.actions, *second.actions)],
        "keys": baked.keys,
        "span": [baked.first, baked.last],
        "frames": [point[0] for point in curves_of(teeth)['key_blocks["JawOpen"].value']],
        "jaw": [[values_at(item, frame)[key] for frame in at] for item, key in
                ((head, "Face.M_jawOpen"), (teeth, "JawOpen"), (tongue, "jawOpen"))],
        "all": [list(values_at(head, frame).values())[1:] for frame in at],
        "blink": [values_at(other, frame)["eyeBlink_L"] for frame in at],
        "summary": baked.mapping.summary(),
        "data": count_data(),
    }  # fmt: skip


def test_every_mesh_is_driven_exactly_at_true_times(blender, talk: Path) -> None:
    found = blender(drive_four_meshes, folder=talk)
    assert found["meshes"] == ["head", "teeth", "tongue"]
    assert found["second"] == ["other"]
    assert found["keys"] == 52 + 2 + 2
    np.testing.assert_allclose(found["frames"], 3.5 + np.arange(FRAMES) * 1.2, atol=1e-5)
    np.testing.assert_allclose(found["all"], WEIGHTS, atol=1e-4)
    for mesh in found["jaw"]:
        np.testing.assert_allclose(mesh, WEIGHTS[:, INDEX["jawOpen"]], atol=1e-4)
    np.testing.assert_allclose(found["blink"], WEIGHTS[:, INDEX["eyeBlinkLeft"]], atol=1e-4)
    if len(found["slots"]) == 2:  # Blender 4.4 and later: one action a line
        assert found["actions"] == ["answer", "hello"]
        assert found["slots"] == [3, 1]


def bake_again(folder: str) -> dict:
    """Bake, add keys by hand, and bake the line again, later and from a mesh with one key less."""
    import bpy

    from blender_addon.bake.curves import action_curves

    scene_at(25)
    head = add_mesh("head", ["jawOpen", "mouthClose", "mine"])
    keys = head.data.shape_keys.key_blocks
    baked = bake(folder, [head])
    counts = [count_data()]
    for frame, value in ((10, 0.9), (40, 0.3)):  # within the line, and after it
        keys["jawOpen"].value = value
        keys["jawOpen"].keyframe_insert("value", frame=frame)
    by_hand = next(curve for curve in action_curves(baked.action if hasattr(baked, "action") else baked.actions[0])
                   if "jawOpen" in curve.data_path)  # fmt: skip
    by_hand.keyframe_points[-1].interpolation = "CONSTANT"
    keys["mine"].value = 0.7
    keys["mine"].keyframe_insert("value", frame=5)
    bake(folder, [head])
    once = curves_of(head)
    bake(folder, [head], start=4.0, corrections=[("mouthClose", "")])
    counts.append(count_data())
    later = curves_of(head)
    kept = next(curve for curve in action_curves(head.data.shape_keys.animation_data.action)
                if "jawOpen" in curve.data_path).keyframe_points[-1]  # fmt: skip
    return {
        "once": once,
        "later": later,
        "counts": counts,
        "interpolation": kept.interpolation,
        "actions": [action.name for action in bpy.data.actions],
    }


def test_baking_again_replaces_and_keeps_keys_made_by_hand(blender, talk: Path) -> None:
    found = blender(bake_again, folder=talk)
    jaw, close, mine = (f'key_blocks["{name}"].value' for name in ("jawOpen", "mouthClose", "mine"))
    column = WEIGHTS[:, INDEX["jawOpen"]]
    np.testing.assert_allclose(found["once"][jaw], [*zip(range(1, 16), column, strict=True), (40, 0.3)], atol=1e-6)
    np.testing.assert_allclose(found["later"][jaw], [*zip(range(4, 19), column, strict=True), (40, 0.3)], atol=1e-6)
    assert found["interpolation"] == "CONSTANT"
    np.testing.assert_allclose(found["once"][mine], [(5, 0.7)], atol=1e-6)
    assert close in found["once"]
    assert close not in found["later"]
    assert found["counts"][0] == found["counts"][1]
    assert found["actions"] == ["hello"]


def bake_two_lines(folder: str) -> dict:
    """Hand-made motion, then two lines one after the other, then the first again."""
    import bpy

    scene_at(25)
    head = add_mesh("head", ["jawOpen", "browDownLeft"])
    keys = head.data.shape_keys.key_blocks
    for frame, value in ((60, 0.25), (70, 0.75)):
        keys["jawOpen"].value = value
        keys["jawOpen"].keyframe_insert("value", frame=frame)
    bake(folder, [head], line="one", start=1)
    bake(folder, [head], line="two", start=30)
    first = [values_at(head, frame)["jawOpen"] for frame in (3, 32, 60, 70)]
    data = head.data.shape_keys.animation_data
    tracks = len(data.nla_tracks)
    bake(folder, [head], line="one", start=2)
    second = [values_at(head, frame)["jawOpen"] for frame in (4, 32, 60, 70)]
    return {
        "first": first,
        "second": second,
        "tracks": [tracks, len(data.nla_tracks)],
        "actions": len(bpy.data.actions),
    }


def test_several_lines_and_older_motion_live_together(blender, talk: Path) -> None:
    found = blender(bake_two_lines, folder=talk)
    jaw = WEIGHTS[2, INDEX["jawOpen"]]
    np.testing.assert_allclose(found["first"], [jaw, jaw, 0.25, 0.75], atol=1e-4)
    np.testing.assert_allclose(found["second"], [jaw, jaw, 0.25, 0.75], atol=1e-4)
    assert found["tracks"] == [3, 3]  # older motion, one line, and what rests below both
    assert found["actions"] == 4


def refuse(folder: str) -> dict:
    """Bakes that cannot be done."""
    from blender_addon.errors import AddonError

    scene_at(25)
    bare, strange = add_mesh("bare", []), add_mesh("strange", ["tilt"])
    messages = []
    for items, options in (
        ([], {}),
        ([bare], {}),
        ([strange], {}),
        ([strange], {"corrections": [("jawOpen", "tolt")]}),
        ([strange], {"map_name": "mine"}),
        ([strange], {"corrections": [("jawOpen", "tilt")], "within": (100, 200)}),
    ):
        try:
            bake(folder, items, **options)
            messages.append("baked")
        except AddonError as error:
            messages.append(str(error))
    fine = bake(folder, [strange], corrections=[("jawOpen", "tilt")], within=(4, 6))
    strange.data.shape_keys.key_blocks["tilt"].mute = True
    noted = bake(folder, [strange], corrections=[("jawOpen", "tilt")], within=(4, 6))
    return {"messages": messages, "span": [fine.first, fine.last], "data": count_data(), "notes": noted.notes}


def test_what_cannot_be_baked_is_said_and_changes_nothing(blender, talk: Path) -> None:
    found = blender(refuse, folder=talk)
    for message, words in zip(
        found["messages"],
        [
            "no selected|None of the selected|None of the meshes",
            "shape keys",
            "known",
            "no shape key 'tolt'",
            "choose one of",
            "trim",
        ],
        strict=True,
    ):
        assert any(word in message for word in words.split("|")), message
    assert found["span"] == [4, 6]
    assert found["data"]["actions"] == 1
    assert "switched off" in found["notes"][0]


def bake_corrected(folder: str) -> dict:
    """A head that opens by a key of another name, with teeth, without and with the correction that says so."""
    import bpy

    found = {}
    for case, corrections in (("plain", []), ("corrected", [("jawOpen", "MouthOpen_v2"), ("mouthSmile", "")])):
        scene = scene_at(25)
        root = bpy.data.objects.new("root", None)
        scene.collection.objects.link(root)
        head, teeth = add_mesh("head", ["MouthOpen_v2", "mouthSmileLeft"], root), add_mesh("teeth", ["jawOpen"], root)
        for block in (*head.data.shape_keys.key_blocks, *teeth.data.shape_keys.key_blocks):
            block.value = 0
        bake(folder, [head], corrections=corrections)
        found[case] = [float(evaluated_vertices(item, 3)[0, 2]) for item in (head, teeth)]
    return found


def test_a_correction_of_the_head_leaves_the_teeth_their_own(blender, talk: Path) -> None:
    found = blender(bake_corrected, folder=talk)
    smile, jaw = (WEIGHTS[2, INDEX[name]] for name in ("mouthSmileLeft", "jawOpen"))
    assert found["plain"] == pytest.approx([smile, jaw], abs=1e-4)
    assert found["corrected"] == pytest.approx([jaw, jaw], abs=1e-4)


def operate(folder: str) -> dict:
    """The operators: check, correct, bake, undo."""
    import bpy

    import blender_addon

    scene = scene_at(25)
    blender_addon.register()
    head = add_mesh("head", ["jawOpen", "Mund"])
    add_mesh("far", ["jawOpen"])
    select(head)
    row = head.mouthpiece_corrections.add()
    row.target, row.key = "mouthClose", "Mund"
    result = bpy.ops.mouthpiece.bake_character(folder=folder, start=5, line="said")
    found = {
        "result": list(result),
        "curves": sorted(curves_of(head)),
        "range": [scene.frame_start, scene.frame_end],
        "actions": [action.name for action in bpy.data.actions],
        "far": bpy.data.objects["far"].data.shape_keys.animation_data is None,
    }
    found["undo"] = sorted(blender_addon.face_operators.MOUTHPIECE_OT_bake_character.bl_options)
    bpy.ops.mouthpiece.correction_add(target="jawOpen", key="Mund")
    rows = bpy.context.object.mouthpiece_corrections
    found["rows"] = [[row.target, row.key] for row in rows]
    bpy.ops.mouthpiece.correction_remove(index=0)
    found["left"] = len(rows)
    select(bpy.data.objects["far"])
    bpy.data.objects["far"].shape_key_clear()
    found["poll"] = bpy.ops.mouthpiece.bake_character.poll()
    blender_addon.unregister()
    return found


def test_the_operators(blender, talk: Path) -> None:
    found = blender(operate, folder=talk)
    assert found["result"] == ["FINISHED"]
    assert found["curves"] == ['key_blocks["Mund"].value', 'key_blocks["jawOpen"].value']
    assert found["actions"] == ["said"]
    assert found["far"]
    assert "UNDO" in found["undo"]  # one step; undo itself needs a window
    assert found["rows"] == [["mouthClose", "Mund"], ["jawOpen", "Mund"]]
    assert found["left"] == 1
    assert not found["poll"]
