"""What a bake makes: sparse keys within their tolerance, mesh caches, names, strips, markers, head motion."""

import json
from pathlib import Path

import numpy as np
import pytest

from blender_addon.animation import read_animation
from shape_keys.arkit import INDEX, NAMES
from tests.blender.rigs import add_mesh, curves_of, values_at
from tests.blender.scene_checks import bake, count_data, empty_scene, evaluated_vertices, largest_error
from tests.blender_addon.example import make_animation

pytestmark = pytest.mark.blender

FRAMES = 60
TURNS = np.random.default_rng(5).uniform(-0.2, 0.2, (FRAMES, 3)).astype(np.float32)


def smooth_weights() -> np.ndarray:
    """(60, 52) in 0..1, each of another slow rhythm."""
    time = np.arange(FRAMES)[:, None] / 25
    return (0.5 - 0.5 * np.cos(time * (3 + 0.2 * np.arange(52)))).astype(np.float32)


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """An animation of a face that talks, nods, and says two words."""
    folder = make_animation(
        tmp_path / "talk", FRAMES, weights=smooth_weights(), weight_names=np.array(NAMES), head_rotation=TURNS
    )
    words = [{"text": "hello", "start": 0.2, "end": 0.5}, {"text": "world", "start": 1.0, "end": 1.4}]
    (folder / "markers.json").write_text(json.dumps({"format": 1, "words": words, "phones": []}))
    return folder


def bake_onto(folder: str, item, start: float = 1.0, line: str = "hello", **options):
    import bpy

    from blender_addon.bake.character import bake_character
    from blender_addon.bake.characters import character_meshes
    from blender_addon.bake.options import ResultOptions

    animation, meshes = read_animation(Path(folder)), character_meshes([item])
    return bake_character(bpy.context.scene, meshes, animation, line, start, options=ResultOptions(**options))


def bake_sparse(folder: str) -> dict:
    """A character at 30 frames a second and a head at 25, with few keys; then exactly again."""
    from blender_addon.bake.curves import action_curves

    scene = empty_scene()
    scene.render.fps = 30
    item = add_mesh("character", list(NAMES))
    baked = bake_onto(folder, item, 3.5, kind="SPARSE", tolerance=0.02)
    at = [3.5 + frame * 30 / 25 for frame in range(FRAMES)]
    found = {
        "keyframes": [baked.keyframes, sum(map(len, curves_of(item).values()))],
        "values": [list(values_at(item, frame).values())[1:] for frame in at],
        "kinds": sorted(
            {(p.interpolation, p.handle_left_type) for c in action_curves(baked.actions[0]) for p in c.keyframe_points}
        ),
    }
    found["exact"] = bake_onto(folder, item, 3.5).keyframes
    animation, head = bake(folder, line="face", kind="SPARSE", tolerance=0.01)
    found["head"] = [head.keyframes, head.error, largest_error(head.head, animation, list(range(FRAMES)))]
    found["said"] = head.shortcomings()
    return found


def test_sparse_keys_are_few_and_within_the_tolerance(blender, talk: Path) -> None:
    found = blender(bake_sparse, folder=talk)
    assert found["keyframes"][0] == found["keyframes"][1] < 52 * FRAMES / 3
    np.testing.assert_allclose(found["values"], smooth_weights(), atol=0.0201)
    assert found["kinds"] == [["BEZIER", "ALIGNED"]]
    assert found["exact"] == 52 * FRAMES
    keys, said, measured = found["head"]
    assert keys < 6 * FRAMES  # one of them a frame says which lip crop shows
    assert measured == pytest.approx(said, abs=1e-4)
    assert 1e-4 < said < 0.02
    assert "of the eye distance off" in found["said"][0]


def bake_caches(folder: str) -> dict:
    """A head and a character as mesh caches, at another rate and between frames; then as keys again."""
    import bpy

    scene = empty_scene()
    animation, head = bake(folder, kind="CACHE")
    found = {"head": largest_error(head.head, animation, [0, 7, 30, 59]), "keys": head.shape_keys}
    again, keyed = bake(folder)
    found["keyed"] = [largest_error(keyed.head, again, [0, 30]), len(keyed.head.modifiers)]
    bake(folder, kind="CACHE")
    found["data"] = count_data()
    found["path"] = Path(head.head.modifiers[0].filepath).name
    scene.render.fps = 50
    item = add_mesh("character", ["jawOpen", "mouthClose", "mine"])
    item.data.shape_keys.key_blocks["mine"].value = 0.5
    armature = item.modifiers.new("Armature", "ARMATURE")
    places = {}
    for kind in ("KEYS", "CACHE"):
        bake_onto(folder, item, 3.0, line="said", kind=kind)
        places[kind] = [evaluated_vertices(item, frame).tolist() for frame in (3, 5, 31, 60, 121)]
    found["character"] = places
    found["order"] = [modifier.type for modifier in item.modifiers]
    found["actions"] = [action.name for action in bpy.data.actions]
    del armature
    bake_onto(folder, item, 3.0, line="said")
    found["back"] = [modifier.type for modifier in item.modifiers]
    return found


def test_a_mesh_cache_is_exact(blender, talk: Path) -> None:
    found = blender(bake_caches, folder=talk)
    assert found["head"] < 1e-4
    assert found["keys"] == 0
    assert found["keyed"][0] < 1e-4
    assert found["keyed"][1] == 0
    assert found["data"]["shape_keys"] == 0
    assert found["path"] == "hello.pc2"
    np.testing.assert_allclose(found["character"]["CACHE"], found["character"]["KEYS"], atol=1e-5)
    assert found["order"] == ["MESH_CACHE", "ARMATURE"]
    assert "said" not in found["actions"]
    assert found["back"] == ["ARMATURE"]


def bake_strips(folder: str) -> dict:
    """Two lines with names of their own, pushed to strips; then the first again."""
    import bpy

    scene = empty_scene()
    scene.render.fps = 25
    item = add_mesh("character", ["jawOpen"])
    bake_onto(folder, item, 1, line="one", action_name="First", push_to_nla=True)
    bake_onto(folder, item, 101, line="two", push_to_nla=True)
    bake_onto(folder, item, 1, line="one", action_name="First", push_to_nla=True)
    data = item.data.shape_keys.animation_data
    return {
        "active": data.action is None,
        "tracks": [[track.name, track.strips[0].frame_start, track.strips[0].frame_end] for track in data.nla_tracks],
        "actions": sorted(action.name for action in bpy.data.actions),
        "jaw": [values_at(item, frame)["jawOpen"] for frame in (11, 111)],
    }


def test_lines_become_strips_with_their_names(blender, talk: Path) -> None:
    found = blender(bake_strips, folder=talk)
    assert found["active"]
    assert found["tracks"] == [["At rest", 0, 1], ["First", 1, FRAMES], ["two", 101, 100 + FRAMES]]
    assert found["actions"] == ["At rest", "First", "two"]
    np.testing.assert_allclose(found["jaw"], [smooth_weights()[10, INDEX["jawOpen"]]] * 2, atol=1e-4)


def mark(folder: str) -> dict:
    """Import a line twice at another frame, with a marker made by hand; then without markers."""
    from blender_addon.bake.options import ResultOptions
    from blender_addon.importing import import_animation

    scene = empty_scene()
    scene.timeline_markers.new("mine", frame=7)
    found = []
    for start in (1, 11):
        said = import_animation(scene, Path(folder), None, start, True)
        found.append(sorted((marker.name, marker.frame) for marker in scene.timeline_markers))
    import_animation(scene, Path(folder), None, 11, True, ResultOptions(markers=False))
    return {"found": found, "said": said, "left": [marker.name for marker in scene.timeline_markers]}


def test_words_become_markers_and_never_pile_up(blender, talk: Path) -> None:
    found = blender(mark, folder=talk)
    assert found["found"][0] == [["hello", 6], ["mine", 7], ["world", 26]]
    assert found["found"][1] == [["hello", 16], ["mine", 7], ["world", 36]]
    assert "2 words are marked" in found["said"]
    assert found["left"] == ["mine"]


def nod(folder: str, still: str) -> dict:
    """Bake a head that nods, put it elsewhere, bake it again, and then a still line over it."""
    import bpy
    import mathutils

    scene = empty_scene()
    _, baked = bake(folder)
    head, angles = baked.head, read_animation(Path(folder)).head_rotation
    upright = mathutils.Matrix.Rotation(np.pi / 2, 3, "X")

    def deviation() -> float:
        worst = 0.0
        for frame in (0, 17, 59):
            scene.frame_set(frame + 1)
            x, y, z = (
                mathutils.Matrix.Rotation(angle, 3, axis) for angle, axis in zip(angles[frame], "XYZ", strict=True)
            )
            turned = head.matrix_world.to_3x3() - upright @ z @ y @ x
            worst = max(worst, max(abs(number) for row in turned for number in row))
        return worst

    found = {"first": deviation(), "slots": len(getattr(baked.action, "slots", [0, 0]))}
    found["actions"] = len(bpy.data.actions)
    head.location = (1, 2, 3)
    bake(folder)
    found["second"], found["place"] = deviation(), list(head.location)
    _, baked = bake(still)
    scene.frame_set(30)
    found["still"] = max(abs(number) for row in head.matrix_world.to_3x3() - upright for number in row)
    found["left"] = [len(getattr(action, "slots", [0])) for action in bpy.data.actions]
    return found


def test_the_head_turns_in_a_slot_of_its_own(blender, talk: Path, tmp_path: Path) -> None:
    found = blender(nod, folder=talk, still=make_animation(tmp_path / "still", 20, texture=False))
    assert found["first"] < 1e-5
    assert found["second"] < 1e-5
    assert found["place"] == [1, 2, 3]
    assert found["slots"] == 2
    assert found["actions"] in (1, 2)  # two before Blender 4.4
    assert found["still"] < 1e-5
    assert found["left"] == [1]


def keep_by_hand(folder: str, other: str) -> dict:
    """Add a shape key, keys and a material by hand to a baked head; bake it again, the same and another face."""
    import bpy

    empty_scene()
    _, baked = bake(folder)
    head = baked.head
    key = head.shape_key_add(name="Blink", from_mix=False)
    (key.points if hasattr(key, "points") else key.data)[33].co.y -= 0.25
    key.value = 0.5
    key.keyframe_insert("value", frame=100)
    first = head.data.shape_keys.key_blocks["Mouthpiece 01"]
    first.value = 0.25
    first.keyframe_insert("value", frame=90)
    head.data.materials.append(bpy.data.materials.new("glasses"))

    def state() -> dict:
        curves = {path.split('"')[1]: keys[-1] for path, keys in curves_of(head).items()}
        blocks = head.data.shape_keys.key_blocks
        moved = blocks["Blink"].data[33].co.y - blocks["Basis"].data[33].co.y
        return {
            "blink": curves["Blink"],
            "first": curves["Mouthpiece 01"],
            "moved": moved,
            "materials": [material.name for material in head.data.materials],
        }

    bake(folder)
    found = [state()]
    animation, _ = bake(other)
    found.append(state())
    key.mute = True
    return {"states": found, "error": largest_error(head, animation, [0, 10, 19])}


def test_what_was_made_by_hand_on_a_head_stays(blender, talk: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    offsets = 0.02 * random.standard_normal((20, 3)) @ random.standard_normal((3, 1404))
    changes = {"offsets": offsets.reshape(20, 468, 3).astype(np.float32)}
    changes["reference"] = (read_animation(talk).reference * [1.1, 0.9, 1]).astype(np.float32)
    other = make_animation(tmp_path / "other", 20, texture=False, **changes)
    found = blender(keep_by_hand, folder=talk, other=other)
    for state in found["states"]:
        assert state["blink"] == [100, 0.5]
        assert state["moved"] == pytest.approx(-0.25, abs=1e-6)
        assert state["materials"] == ["hello", "glasses"]
    assert found["states"][0]["first"] == [90, 0.25]
    assert found["states"][1]["first"][0] == 20  # means another movement now
    assert found["error"] < 1e-4


def keep_the_rate(folder: str, rates: list[list[float]]) -> dict:
    """Bake a head into scenes of other rates, between frames; how exact it is at the animation's times."""
    from blender_addon.bake.talking_head import bake_talking_head

    animation = read_animation(Path(folder))
    expected = animation.reference + animation.offsets
    found = []
    for fps, base, start in rates:
        scene = empty_scene()
        scene.render.fps, scene.render.fps_base = round(fps), base
        head = bake_talking_head(scene, animation, "hello", None, start).head
        worst = 0.0
        for frame in range(0, FRAMES, 10):
            time = start + frame * (fps / base) / animation.fps
            shown = evaluated_vertices(head, int(time), time - int(time))
            worst = max(worst, float(np.linalg.norm(shown - expected[frame], axis=1).max()))
        found.append(worst)
    return found


def test_a_head_keeps_true_time_at_any_rate(blender, talk: Path) -> None:
    rates = [[24, 1, 1], [30, 1.001, 5], [60, 1, 2.25]]
    assert max(blender(keep_the_rate, folder=talk, rates=rates)) < 1e-4


def look_at_asset(folder: str) -> dict:
    """The collection of a new head, and its picture."""
    import bpy

    scene = empty_scene()
    _, baked = bake(folder)
    bake(folder)
    (collection,) = scene.collection.children
    picture = np.array(collection.preview.image_pixels_float[:]).reshape(128, 128, 4)
    return {
        "objects": [item.name for item in collection.objects],
        "asset": collection.asset_data is not None,
        "collections": len(bpy.data.collections),
        "size": list(collection.preview.image_size),
        "corner": picture[0, 0].tolist(),
        "cheek": picture[64, 40].tolist(),
        "head": baked.head.name,
    }


def test_a_head_is_an_asset_with_a_picture(blender, talk: Path) -> None:
    found = blender(look_at_asset, folder=talk)
    assert found["objects"] == [found["head"]]
    assert found["asset"]
    assert found["collections"] == 1
    assert found["size"] == [128, 128]
    assert found["corner"] == [0, 0, 0, 0]
    np.testing.assert_allclose(found["cheek"], [205 / 255, 150 / 255, 125 / 255, 1], atol=0.01)


def look_at_material(folder: str) -> dict:
    """The material of a head that lights shade, without lip texture, packed."""
    import bpy

    empty_scene()
    _, baked = bake(folder, lit=True, texture=False, pack=True)
    nodes = baked.head.data.materials[0].node_tree.nodes
    packed = [node.image.packed_file is not None for node in nodes if node.type == "TEX_IMAGE"]
    kinds = sorted(node.type for node in nodes if node.type in ("BSDF_PRINCIPLED", "EMISSION", "TEX_IMAGE"))
    return {"kinds": kinds, "packed": packed, "materials": len(bpy.data.materials)}


def test_a_head_can_be_lit_and_packed(blender, talk: Path) -> None:
    found = blender(look_at_material, folder=talk)
    assert found == {"kinds": ["BSDF_PRINCIPLED", "TEX_IMAGE"], "packed": [True], "materials": 1}
