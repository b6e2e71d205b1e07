"""What a person made on a talking head stays when its line is baked again, is said to go, or keeps the bake away."""

from pathlib import Path

import numpy as np
import pytest

from blender_addon.animation import read_animation
from tests.blender.rigs import curves_of, select
from tests.blender.scene_checks import bake, count_data, empty_scene, largest_error
from tests.blender_addon.example import make_animation

pytestmark = pytest.mark.blender

FRAMES = 20


def other_motion(seed: int) -> np.ndarray:
    """(20, 468, 3) of three components."""
    random = np.random.default_rng(seed)
    offsets = 0.02 * random.standard_normal((FRAMES, 3)) @ random.standard_normal((3, 1404))
    return offsets.reshape(FRAMES, 468, 3).astype(np.float32)


def key_components(folders: list[str]) -> list[list]:
    """Set keys on a head's components within and after its line; what each further bake says, and what is left."""
    import bpy

    empty_scene()
    head = bake(folders[0])[1].head
    for place in ("Mouthpiece 00", "Mouthpiece 01"):
        for frame in (10, 90, 95):
            head.data.shape_keys.key_blocks[place].keyframe_insert("value", frame=frame)
    found = []
    for folder, push in ((folders[0], False), (folders[0], True), (folders[1], True)):
        baked = bake(folder, push_to_nla=push)[1]
        bags = [curve for action in bpy.data.actions for curve in curves_of_action(action)]
        left = sum(point.co[0] > FRAMES for curve in bags for point in curve.keyframe_points)
        found.append([baked.lost, left, baked.shortcomings()])
    return found


def curves_of_action(action) -> list:
    from blender_addon.bake.curves import existing_curves

    slots = list(action.slots) if hasattr(action, "slots") else [None]
    return [curve for slot in slots for curve in existing_curves(action, slot)]


def test_keys_that_mean_something_else_are_said_to_go(blender, tmp_path: Path) -> None:
    folders = [make_animation(tmp_path / str(seed), FRAMES, offsets=other_motion(seed)) for seed in (1, 2)]
    same, strip, other = blender(key_components, folders=[str(folder) for folder in folders])
    assert same == strip == [0, 4, []]
    assert other[:2] == [4, 0]
    assert other[2] == ["4 keys outside the line are gone: their shape keys mean other movements now"]


def edit_meshes(folder: str, other: str, way: str) -> dict:
    """Edit a head's mesh in a way, and bake its line again, as keys and as a cache."""
    import bpy

    from blender_addon.bake.talking_head import check_mesh
    from blender_addon.errors import AnimationError

    empty_scene()
    head = bake(folder)[1].head
    if way == "join":
        bpy.ops.mesh.primitive_uv_sphere_add()
        select(head, bpy.context.object)
        bpy.ops.object.join()
        head.vertex_groups.new(name="lips").add([1, 2, 3], 1.0, "REPLACE")
        head.shape_key_add(name="Mine")
    elif way == "hole":
        select(head)
        bpy.ops.object.mode_set(mode="EDIT")
        bpy.ops.mesh.select_mode(type="FACE")
        bpy.ops.mesh.select_all(action="DESELECT")
        bpy.ops.object.mode_set(mode="OBJECT")
        head.data.polygons[5].select = True
        bpy.ops.object.mode_set(mode="EDIT")
        bpy.ops.mesh.delete(type="ONLY_FACE")
        bpy.ops.object.mode_set(mode="OBJECT")
    elif way == "group":
        head.vertex_groups.new(name="lips")
    elif way == "apply":
        select(head)
        bpy.ops.object.transform_apply()
    elif way == "sculpt":
        points = head.data.shape_keys.key_blocks[0]
        (points.points if hasattr(points, "points") else points.data)[5].co.z += 0.01
    elif way == "map":
        head.data.uv_layers["UVMap"].name = "mine"

    def state() -> list:
        keys = [] if head.data.shape_keys is None else [key.name for key in head.data.shape_keys.key_blocks]
        return [len(head.data.vertices), len(head.data.polygons), keys, [group.name for group in head.vertex_groups]]

    before, said = [count_data(), state()], []
    for kind in ("KEYS", "CACHE"):
        try:
            bake(other, kind=kind)
        except AnimationError as error:
            said.append(str(error))
    unchanged = before == [count_data(), state()]
    try:
        check_mesh(head)
        early = ""
    except AnimationError as error:
        early = str(error)
    maps = [layer.name for layer in head.data.uv_layers]
    return {"said": said, "unchanged": unchanged, "early": early, "faces": len(head.data.polygons), "maps": maps}


@pytest.fixture
def faces(tmp_path: Path) -> dict[str, str]:
    """An animation, and one of another topology."""
    folder = make_animation(tmp_path / "a", FRAMES)
    fewer = read_animation(folder).triangles[:-1]
    return {"folder": str(folder), "other": str(make_animation(tmp_path / "b", FRAMES, triangles=fewer))}


@pytest.mark.parametrize("way", ["join", "hole", "apply", "sculpt"])
def test_a_head_that_was_modelled_further_is_left_alone(blender, faces: dict[str, str], way: str) -> None:
    found = blender(edit_meshes, folder=faces["folder"], other=faces["folder"], way=way)
    assert found["unchanged"]
    assert len(found["said"]) == 2
    assert all("separate what you joined" in said and faces["folder"] in said for said in found["said"])
    assert found["early"]


def test_a_face_of_other_triangles_replaces_one_that_nobody_edited(blender, faces: dict[str, str]) -> None:
    found = blender(edit_meshes, **faces, way="nothing")
    assert (found["said"], found["faces"]) == ([], 897)
    found = blender(edit_meshes, **faces, way="group")
    assert len(found["said"]) == 2
    assert found["unchanged"]


def test_a_uv_map_of_ones_own_stays(blender, faces: dict[str, str]) -> None:
    found = blender(edit_meshes, folder=faces["folder"], other=faces["folder"], way="map")
    assert (found["said"], found["maps"]) == ([], ["mine", "UVMap"])


def look_into(folder: str, other: str, shot: str) -> dict:
    """Move a corner of the UV map, go through Edit Mode and a saved file, and bake another face; keys, then a cache.

    Then as a version did that knew neither where vertices nor where UVs were: with both changed.
    """
    import bpy

    empty_scene()
    head = bake(folder)[1].head
    corner = head.data.uv_layers["UVMap"].data[7]
    corner.uv = (0.125, 0.25)
    select(head)
    for mode in ("EDIT", "OBJECT"):
        bpy.ops.object.mode_set(mode=mode)
    bpy.ops.wm.save_as_mainfile(filepath=shot)
    bpy.ops.wm.open_mainfile(filepath=shot)
    found = {"errors": [], "corners": []}
    for kind in ("KEYS", "CACHE", "KEYS"):
        animation, baked = bake(other, kind=kind)
        found["errors"].append(largest_error(baked.head, animation, [0, 7]))
        found["corners"].append(list(baked.head.data.uv_layers["UVMap"].data[7].uv))
    mesh = baked.head.data
    mesh.attributes.remove(mesh.attributes[".mouthpiece_neutral"])
    del mesh["mouthpiece_layout"]
    mesh.transform(baked.head.matrix_world, shape_keys=True)
    animation, baked = bake(folder)
    found["earlier"] = [
        largest_error(baked.head, animation, [0, 7]),
        float(np.abs(np.array(baked.head.data.uv_layers["UVMap"].data[7].uv) - (0.125, 0.25)).max()),
    ]
    return found


def test_uvs_that_were_moved_stay(blender, tmp_path: Path) -> None:
    folder = make_animation(tmp_path / "a", FRAMES)
    reference = 1.1 * read_animation(folder).reference
    other = make_animation(tmp_path / "b", FRAMES, reference=reference, offsets=other_motion(1))
    found = blender(look_into, folder=folder, other=other, shot=tmp_path / "shot.blend")
    assert max(found["errors"]) < 1e-4
    assert found["corners"] == [[0.125, 0.25]] * 3
    error, moved = found["earlier"]
    assert error < 1e-4
    assert moved > 1e-3


def turn(still: str, folder: str, path: str, way: str) -> dict:
    """Turn a head by keys, a strip or a driver, and bake it with head motion: how it stands before and after."""
    import bpy

    scene = empty_scene()
    head = bake(still)[1].head
    if way == "driver":
        head.driver_add(path, 2).driver.expression = "frame * 0.01"
    else:
        for frame, angle in ((1, 0.0), (100, 0.5)):
            getattr(head, path)[2] = angle
            head.keyframe_insert(path, frame=frame)
    if way == "strip":
        data = head.animation_data
        action, slot = data.action, getattr(data, "action_slot", None)
        strip = data.nla_tracks.new().strips.new("mine", 1, action)
        if slot is not None:
            strip.action_slot = slot
        data.action = None

    def poses() -> list[list[float]]:
        found = []
        for frame in (1, 30, 60, 100):
            scene.frame_set(frame)
            matrix = head.evaluated_get(bpy.context.evaluated_depsgraph_get()).matrix_world
            found.append([round(number, 5) for row in matrix for number in row])
        return found

    before = poses()
    baked = bake(folder)[1]
    return {"before": before, "after": poses(), "says": baked.shortcomings(), "moves": len(curves_of(head))}


@pytest.mark.parametrize(
    ("path", "way"),
    [("rotation_euler", way) for way in ("keys", "strip", "driver")] + [("delta_rotation_euler", "keys")],
)
def test_a_head_that_something_turns_is_not_turned_by_its_line(blender, tmp_path: Path, path: str, way: str) -> None:
    still = make_animation(tmp_path / "still", FRAMES)
    turns = np.random.default_rng(5).uniform(-0.2, 0.2, (FRAMES, 3)).astype(np.float32)
    talk = make_animation(tmp_path / "talk", FRAMES, head_rotation=turns)
    found = blender(turn, still=still, folder=talk, path=path, way=way)
    assert found["before"] == found["after"]
    assert len({tuple(pose) for pose in found["before"]}) > 2
    (says,) = found["says"]
    assert says.startswith("the head does not turn: its rotation is animated already")
    assert found["moves"] > 0
