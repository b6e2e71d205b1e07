"""What Animate leaves of a scene as it was: colours, playback, range; a trimmed strip; meshes outside the scene."""

from pathlib import Path

import numpy as np
import pytest

from blender_addon.animation import read_animation
from shape_keys.arkit import NAMES
from tests.blender.rigs import add_mesh, curves_of, select
from tests.blender.scene_checks import empty_scene, evaluated_vertices
from tests.blender.sound import write_tone
from tests.blender.test_recordings import archive, start_addon
from tests.blender_addon.example import make_animation, write_words

__all__ = ["archive"]  # the fixture
pytestmark = pytest.mark.blender


def look(scene) -> list:
    """What a scene shows, and when."""
    view = scene.view_settings
    return [
        view.view_transform,
        view.exposure,
        scene.sync_mode,
        scene.frame_start,
        scene.frame_end,
        scene.frame_current,
    ]


def animate_scenes(archive: str, sound: str) -> dict:
    """A new head in a scene with a look of its own, in an untouched one that is not open, and beyond its range."""
    import bpy

    from blender_addon.session import Target, start_session
    from blender_addon.speech_source import file_source

    scene, settings = start_addon(archive)
    scene.view_settings.view_transform, scene.view_settings.exposure = "AgX", 1.5
    scene.frame_start, scene.frame_end = 1, 500
    found = {"before": look(scene)}
    settings.sound, settings.start = sound, 200
    bpy.ops.mouthpiece.animate()
    found["after"], found["camera"] = look(scene), scene.camera is not None
    fresh = bpy.data.scenes.new("fresh")
    for start in (1, 600):
        start_session(fresh, file_source(sound, start), Target("fresh"), "default").run()
        found.setdefault("fresh", []).append(look(fresh))
    found["seen from"] = list(fresh.camera.location)
    return found


def test_a_scene_keeps_its_look_and_range(blender, archive: Path, tmp_path: Path) -> None:
    found = blender(animate_scenes, archive=archive, sound=write_tone(tmp_path / "line.wav", 0.2))
    assert found["after"] == found["before"]
    assert not found["camera"]
    assert found["fresh"] == [["Standard", 0, "AUDIO_SYNC", 1, 250, 1], ["Standard", 0, "AUDIO_SYNC", 1, 602, 1]]
    assert found["seen from"][1] < -3  # before the face, whose plane is the floor's where the head is not turned yet


def bake_trimmed(folder: str, rate: int, first: int) -> dict:
    """A head and a character of a line of which only some scene frames play; what moves, is shown and marked when."""
    import bpy

    from blender_addon.importing import bake_head, bake_onto_character
    from blender_addon.recordings import folder_recording

    scene = empty_scene()
    scene.render.fps = rate
    animation, within = read_animation(Path(folder)), (first, first + 9)
    head, said = bake_head(scene, animation, "full.wav", None, 1, folder_recording(animation), within)
    keys = next(iter(curves_of(head).values()))
    expected = animation.reference + animation.offsets[round((first + 4 - 1) * 25 / rate)]
    error = float(np.linalg.norm(evaluated_vertices(head, first + 4) - expected, axis=1).max())
    material = head.data.materials[0].evaluated_get(bpy.context.evaluated_depsgraph_get())
    crops = material.node_tree.nodes["Mouthpiece lips"].image_user
    found = {"keys": [keys[0][0], keys[-1][0]], "error": error, "crop": crops.frame_offset, "said": said}
    marks = [sorted((marker.name, marker.frame) for marker in scene.timeline_markers)]
    character = add_mesh("hero", ["jawOpen"])
    bake_onto_character(scene, [character], animation, "full.wav", 1, "auto", (), within)
    marks.append(sorted((marker.name, marker.frame) for marker in scene.timeline_markers))
    return {**found, "marks": marks}


@pytest.mark.parametrize(("rate", "first"), [(25, 5), (50, 5)])
def test_a_trimmed_strip_moves_a_head_where_it_plays(blender, tmp_path: Path, rate: int, first: int) -> None:
    folder = make_animation(tmp_path / "full_wav", 30, weight_names=np.array(NAMES))
    write_words(folder)  # at frames 1 and 6, or 1 and 11
    found = blender(bake_trimmed, folder=folder, rate=rate, first=first)
    assert found["keys"] == [first, first + (9 if rate == 25 else 8)]
    assert found["error"] < 1e-4
    assert f"frames {first} to {first + (9 if rate == 25 else 8)}" in found["said"]
    assert found["crop"] == (8 if rate == 25 else 4)
    assert found["marks"] == [[["there", 6 if rate == 25 else 11]]] * 2


def animate_rig(archive: str, sound: str) -> dict:
    """A rig that deforms a mesh of another scene too, and one that is in no scene any more."""
    import bpy

    from blender_addon.activity import shown

    scene, settings = start_addon(archive)
    rig = bpy.data.objects.new("rig", bpy.data.armatures.new("rig"))
    scene.collection.objects.link(rig)
    head, elsewhere, nowhere = (add_mesh(name, ["jawOpen"], rig) for name in ("head", "elsewhere", "nowhere"))
    bpy.data.scenes.new("other").collection.objects.link(elsewhere)
    nowhere.use_fake_user = True
    for item in (elsewhere, nowhere):
        item.modifiers.new("Armature", "ARMATURE").object = rig
        scene.collection.objects.unlink(item)
    bpy.context.view_layer.update()
    select(head)
    settings.face, settings.sound = "CHARACTER", sound
    result = list(bpy.ops.mouthpiece.animate())
    left = [item.data.shape_keys.animation_data is None for item in (elsewhere, nowhere)]
    return {"result": result, "said": shown("line").message, "left": left}


def test_meshes_outside_the_scene_are_left_alone(blender, archive: Path, tmp_path: Path) -> None:
    found = blender(animate_rig, archive=archive, sound=write_tone(tmp_path / "line.wav", 0.2))
    assert found["result"] == ["FINISHED"]
    assert found["said"].startswith("Baked 1 shape keys of head into")
    assert found["left"] == [True, True]


def animate_posing(archive: str, sound: str) -> dict:
    """Animate a rig's meshes, and import a head, in Pose Mode; what a mesh's own mode allows."""
    import bpy

    scene, settings = start_addon(archive)
    rig = bpy.data.objects.new("rig", bpy.data.armatures.new("rig"))
    scene.collection.objects.link(rig)
    head = add_mesh("head", ["jawOpen"], rig)
    settings.sound = sound
    select(rig)
    bpy.ops.object.mode_set(mode="POSE")
    found = {"modes": [bpy.context.mode]}
    for face in ("CHARACTER", "HEAD"):
        settings.face = face
        found[face] = list(bpy.ops.mouthpiece.animate())
    found["modes"].append(bpy.context.mode)
    found["keys"] = len(curves_of(head))
    found["heads"] = sum(item.get("mouthpiece_line") is not None for item in scene.objects)
    bpy.ops.object.mode_set(mode="OBJECT")
    select(head)
    bpy.ops.object.mode_set(mode="SCULPT")
    try:
        bpy.ops.mouthpiece.animate()
    except RuntimeError as error:
        found["sculpting"] = str(error)
    return found


def test_a_rig_is_animated_in_pose_mode(blender, archive: Path, tmp_path: Path) -> None:
    found = blender(animate_posing, archive=archive, sound=write_tone(tmp_path / "line.wav", 0.2))
    assert found["modes"] == ["POSE", "POSE"]
    assert found["CHARACTER"] == found["HEAD"] == ["FINISHED"]
    assert (found["keys"], found["heads"]) == (1, 1)
    assert "Go to Object Mode or Pose Mode first" in found["sculpting"]


def turn_a_character(folder: str) -> str:
    """What is said of an animation with head motion that is baked onto a character."""
    from blender_addon.importing import bake_onto_character

    return bake_onto_character(empty_scene(), [add_mesh("hero", ["jawOpen"])], Path(folder), "", 1, "auto")


def test_it_is_said_that_a_characters_head_is_not_turned(blender, tmp_path: Path) -> None:
    turns = np.full((5, 3), 0.1, np.float32)
    for rotation, expected in ((turns, True), (None, False)):
        folder = make_animation(tmp_path / str(expected), 5, weight_names=np.array(NAMES), head_rotation=rotation)
        assert ("the character's head is not turned" in blender(turn_a_character, folder=folder)) is expected
