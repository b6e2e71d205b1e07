"""The windowless command drives a character from a .blend or a .glb, and says what is wrong with others."""

import json
from pathlib import Path

import numpy as np
import pytest

from backend.animation_file import SHOT_FILES, check_output
from backend.blender import run_blender
from shape_keys.arkit import INDEX, NAMES
from tests.blender.rigs import add_mesh, values_at
from tests.blender.scene_checks import empty_scene, strips
from tests.blender.sound import write_tone
from tests.blender_addon.example import make_animation, write_words

pytestmark = pytest.mark.blender

FRAMES = 15
WEIGHTS = np.random.default_rng(3).random((FRAMES, 52)).astype(np.float32)


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """An animation with all 52 weights moving, at 25 frames per second, and two words."""
    folder = tmp_path / "talk"
    make_animation(folder, FRAMES, texture=False, weights=WEIGHTS, weight_names=np.array(NAMES))
    write_words(folder)
    return folder


def make_rig(folder: str) -> None:
    """Write rig.blend, at 30 frames per second, and rig.glb: a head and teeth; and bare.blend without known keys."""
    import bpy

    scene = empty_scene()
    scene.render.fps, scene.frame_start, scene.frame_end = 30, 11, 500
    add_mesh("head", ["jawOpen", "browInnerUp_L", "browInnerUp_R"])
    add_mesh("teeth", ["JawOpen"])
    bpy.ops.wm.save_as_mainfile(filepath=str(Path(folder) / "rig.blend"))
    bpy.ops.export_scene.gltf(filepath=str(Path(folder) / "rig.glb"), export_format="GLB")
    empty_scene()
    add_mesh("hat", ["tilt"])
    bpy.ops.wm.save_as_mainfile(filepath=str(Path(folder) / "bare.blend"))


def read_shot(path: str, times: list[float]) -> dict:
    """Shape keys at some seconds, and what else the scene holds."""
    import bpy

    if path.endswith(".blend"):
        bpy.ops.wm.open_mainfile(filepath=path)
    else:
        scene = empty_scene()
        scene.render.fps = 25
        bpy.ops.import_scene.gltf(filepath=path)
    scene = bpy.context.scene
    rate = scene.render.fps / scene.render.fps_base
    first = 1 if path.endswith(".blend") else 0  # the glTF importer puts second 0 at frame 0
    items = {item.name: item for item in bpy.data.objects if item.type == "MESH"}
    return {
        "rate": rate,
        "range": [scene.frame_start, scene.frame_end],
        "head": [list(values_at(items["head"], first + time * rate).values())[1:] for time in times],
        "teeth": [values_at(items["teeth"], first + time * rate)["JawOpen"] for time in times],
        "markers": [(marker.name, marker.frame) for marker in scene.timeline_markers],
        "strips": len(strips(scene)),
        "found": [Path(bpy.path.abspath(sound.filepath)).is_file() for sound in bpy.data.sounds],
        "sound": bpy.app.build_options.audaspace,
        "provenance": scene.get("mouthpiece_provenance", ""),
    }


@pytest.mark.parametrize(
    ("rig", "result"), [("rig.blend", "shot.blend"), ("rig.glb", "shot.blend"), ("rig.glb", "shot.glb")]
)
def test_a_character_is_driven_and_saved(blender, headless, talk: Path, tmp_path: Path, rig: str, result: str) -> None:
    blender(make_rig, folder=tmp_path)
    sound = write_tone(tmp_path / "tone.wav", FRAMES / 25)
    (tmp_path / "out").mkdir()
    arguments = (
        "--animation",
        talk,
        "--audio",
        sound,
        "--character",
        tmp_path / rig,
        "--out",
        tmp_path / "out" / result,
    )
    status, lines, errors = headless(*arguments)
    assert status == 0, errors
    assert lines[-1] == {"wrote": [str(tmp_path / "out" / result)]}
    written = {path.name for path in (tmp_path / "out").iterdir()}
    times = [frame / 25 for frame in range(FRAMES)]
    found = blender(read_shot, path=tmp_path / "out" / result, times=times)
    assert written == ({result, "shot_files"} if found["sound"] and result == "shot.blend" else {result})
    expected = WEIGHTS[:, [INDEX["jawOpen"], INDEX["browInnerUp"], INDEX["browInnerUp"]]]
    np.testing.assert_allclose(found["head"], expected, atol=1e-4)
    np.testing.assert_allclose(found["teeth"], expected[:, 0], atol=1e-4)
    if result == "shot.blend":
        assert found["rate"] == (30 if rig == "rig.blend" else 25)
        assert found["range"] == ([1, 500] if rig == "rig.blend" else [1, 15])
        assert found["strips"] == (1 if found["sound"] else 0)
        assert all(found["found"])
        assert found["markers"] == [["hello", 1], ["there", 7 if rig == "rig.blend" else 6]]
        check_output(tmp_path / "out" / "shot_files", True, SHOT_FILES)  # the backend knows all of them
        assert '"tool": "example"' in found["provenance"]


def test_what_cannot_be_driven_is_said(blender, headless, talk: Path, tmp_path: Path) -> None:
    blender(make_rig, folder=tmp_path)
    (tmp_path / "damaged.blend").write_bytes(b"BLENDER nothing")
    (tmp_path / "damaged.glb").write_bytes(b"glTF nothing")
    (tmp_path / "map.json").write_text(json.dumps({"format": 1, "direct": ["jawOpen"], "keys": {"jawOpen": ["flap"]}}))
    out = tmp_path / "shot.blend"
    for words, says in (
        (["--character", tmp_path / "bare.blend"], "tilt"),
        (["--character", tmp_path / "damaged.blend"], "damaged.blend"),
        (["--character", tmp_path / "damaged.glb"], "damaged.glb"),
        (["--character", tmp_path / "none.blend"], "no character"),
        (["--character", tmp_path / "rig.blend", "--map", "nothing"], "choose one of"),
        (["--character", tmp_path / "rig.blend", "--map", tmp_path / "map.json"], "no shape key 'flap'"),
    ):
        status, lines, _ = headless("--animation", talk, *words, "--out", out)
        assert status == 1
        assert says in lines[-1]["error"]
        assert not out.exists()


def make_cube(path: str) -> None:
    """Write a character with two known shape keys and one of its own."""
    import bpy

    empty_scene()
    add_mesh("cube", ["jawOpen", "mouthClose", "foo"])
    bpy.ops.wm.save_as_mainfile(filepath=path)


def test_what_was_driven_and_what_is_missing_is_told(blender, talk: Path, tmp_path: Path) -> None:
    blender(make_cube, path=tmp_path / "cube.blend")
    told = []
    run_blender(
        *(talk, write_tone(tmp_path / "line.wav", 0.6), [tmp_path / "shot.blend"], None, 64),
        lambda text, _, total: None if total else told.append(text),
        ("--character", str(tmp_path / "cube.blend")),
    )
    (sentence,) = told
    assert sentence.startswith("Baked 2 shape keys of cube into the action line")
    assert "lacks 50 shapes" in sentence


def make_moving(path: str) -> None:
    """Write a head whose brow is keyed by hand and which moves sideways as a strip of the non-linear animation."""
    import bpy

    scene = empty_scene()
    scene.render.fps, scene.frame_end = 25, 40
    head = add_mesh("head", ["jawOpen", "Mine"])
    mine = head.data.shape_keys.key_blocks["Mine"]
    for frame, value in ((20, 0.0), (30, 1.0)):
        mine.value = value
        mine.keyframe_insert("value", frame=frame)
    for frame, place in ((1, 0.0), (40, 3.9)):
        head.location.x = place
        head.keyframe_insert("location", frame=frame)
    data = head.animation_data
    action, slot = data.action, getattr(data, "action_slot", None)
    data.action = None
    strip = data.nla_tracks.new().strips.new("walk", 1, action)
    if slot is not None:
        strip.action_slot = slot
    bpy.ops.wm.save_as_mainfile(filepath=path)


def read_moving(path: str) -> list[list[float]]:
    """(jaw, the character's own key, place) in the line, after it, and at the end."""
    import bpy

    scene = empty_scene()
    scene.render.fps = 25
    bpy.ops.import_scene.gltf(filepath=path)
    head = next(item for item in bpy.data.objects if item.type == "MESH")
    found = []
    for frame in (5, 25, 39):
        values = values_at(head, frame)
        moved = head.evaluated_get(bpy.context.evaluated_depsgraph_get())
        found.append([values["jawOpen"], values["Mine"], moved.matrix_world.translation.x])
    return found


def test_a_gltf_moves_as_the_scene_does(blender, headless, talk: Path, tmp_path: Path) -> None:
    blender(make_moving, path=tmp_path / "moving.blend")
    out = tmp_path / "shot.glb"
    status, _, errors = headless("--animation", talk, "--character", tmp_path / "moving.blend", "--out", out)
    assert status == 0, errors
    found = np.array(blender(read_moving, path=out))
    np.testing.assert_allclose(found[:, 0], [WEIGHTS[5, INDEX["jawOpen"]], 0, 0], atol=1e-4)
    np.testing.assert_allclose(found[1:, 1], [0.66, 1], atol=0.1)
    assert np.all(np.diff(found[:, 2]) > 1)
    pygltflib = pytest.importorskip("pygltflib")
    assert [clip.name for clip in pygltflib.GLTF2().load(str(out)).animations] == ["talk"]
