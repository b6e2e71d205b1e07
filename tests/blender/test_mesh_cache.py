"""Mesh caches: files that appear whole or not at all, and what becomes of a character's other lines."""

import re
from pathlib import Path

import numpy as np
import pytest

from blender_addon.animation import read_animation
from blender_addon.errors import AnimationError
from shape_keys.arkit import NAMES
from tests.blender.rigs import add_mesh
from tests.blender.scene_checks import bake, count_data, empty_scene, evaluated_vertices
from tests.blender_addon.example import make_animation

pytestmark = pytest.mark.blender

FRAMES = 10


def held(folder: Path, weight: float) -> Path:
    """An animation whose weights are all the same, at every frame."""
    weights = np.full((FRAMES, 52), weight, np.float32)
    return make_animation(folder, FRAMES, weights=weights, weight_names=np.array(NAMES))


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    return held(tmp_path / "talk", 0.5)


def bake_onto(folder: str, items: list, line: str, start: float = 1.0, kind: str = "CACHE"):
    import bpy

    from blender_addon.bake.character import bake_character
    from blender_addon.bake.options import ResultOptions

    animation = read_animation(Path(folder))
    return bake_character(bpy.context.scene, items, animation, line, start, options=ResultOptions(kind=kind))


def fail_heads(folder: str) -> dict:
    """A head whose cache cannot be written, twice; then one whose cache can."""
    empty_scene()
    obstacle = Path(folder) / "hello.pc2"
    obstacle.mkdir()
    counts, said = [count_data()], []
    for _ in range(2):
        try:
            bake(folder, kind="CACHE")
        except AnimationError as error:
            said.append(str(error))
        counts.append(count_data())
    names = sorted(path.name for path in Path(folder).iterdir())
    obstacle.rmdir()
    bake(folder, kind="CACHE")
    return {"counts": counts, "said": said, "names": names, "written": obstacle.is_file()}


def test_a_head_whose_cache_cannot_be_written_leaves_nothing(blender, talk: Path) -> None:
    before = sorted([*(path.name for path in talk.iterdir()), "hello.pc2"])
    found = blender(fail_heads, folder=talk)
    assert found["counts"][0] == found["counts"][1] == found["counts"][2]
    assert len(found["said"]) == 2
    assert "hello.pc2 is a folder" in found["said"][0]
    assert found["names"] == before
    assert found["written"]


def fail_second_mesh(folder: str) -> dict:
    """A character of two meshes plays a cache; another is baked over it, and the second file cannot be written."""
    empty_scene()
    items = [add_mesh("head", list(NAMES)), add_mesh("teeth", ["jawOpen"])]
    first = Path(folder) / "said_head.pc2"
    second = Path(folder) / "said_teeth.pc2"
    bake_onto(folder, items, "said")
    before = first.read_bytes()
    second.unlink()
    second.mkdir()
    items[0].data.shape_keys.key_blocks["jawOpen"].data[0].co.z += 7
    try:
        bake_onto(folder, items, "said")
        said = "baked"
    except AnimationError as error:
        said = str(error)
    return {"same": first.read_bytes() == before, "said": said, "names": sorted(p.name for p in first.parent.iterdir())}


def test_the_files_of_a_character_change_together(blender, talk: Path) -> None:
    found = blender(fail_second_mesh, folder=talk)
    assert found["same"]
    assert "said_teeth.pc2 is a folder" in found["said"]
    assert not any(name.startswith(".") or name.endswith(".part") for name in found["names"])


NAMED = {
    "Teeth (top)": ("jawOpen", 0.25),
    "Teeth [top]": ("mouthFunnel", 0.5),
    "teeth (top)": ("mouthPucker", 0.75),
    'top?*:"<>|/\\': ("mouthClose", 1.0),
    "x" * 63: ("jawLeft", 0.125),
}
"""Meshes whose names are hard to tell apart or to write: what moves each, how far."""


def play_named(folder: str) -> dict:
    """A character of these meshes, baked twice."""
    import bpy

    empty_scene()
    items = [add_mesh(name, [key]) for name, (key, _) in NAMED.items()]
    assert [item.name for item in items] == list(NAMED)
    found = {"files": []}
    for _ in range(2):
        bake_onto(folder, items, "Zeile 1: o/e")
        found["files"].append([Path(bpy.path.abspath(item.modifiers[0].filepath)).name for item in items])
    found["heights"] = [heights(item, [5])[0] for item in items]
    return found


def test_every_mesh_plays_a_file_of_its_own(blender, tmp_path: Path) -> None:
    weights = np.zeros((FRAMES, 52), np.float32)
    for key, value in NAMED.values():
        weights[:, NAMES.index(key)] = value
    folder = make_animation(tmp_path / "talk", FRAMES, texture=False, weights=weights, weight_names=np.array(NAMES))
    found = blender(play_named, folder=folder)
    assert found["heights"] == pytest.approx([value for _, value in NAMED.values()])
    assert found["files"][0] == found["files"][1]
    assert len({name.lower() for name in found["files"][0]}) == len(NAMED)
    assert all(re.fullmatch(r"[\w-]{1,60}\.pc2", name) for name in found["files"][0])


def heights(item, frames: list[float]) -> list[float]:
    """How far the mouth of a small character is open at some scene frames."""
    return [float(evaluated_vertices(item, int(frame), frame % 1)[0, 2]) for frame in frames]


def play_lines(folders: list[str], project: str) -> dict:
    """Three lines on one character, the first as keys, the others as caches; reopened; then the second as keys."""
    import bpy

    empty_scene()
    item = add_mesh("head", ["jawOpen"])
    moments = [5, 50, 100.5, 101, 105, 111, 201.5, 205, 215]
    for folder, line, start, kind in zip(folders, "abc", (1, 101, 201.5), ("KEYS", "CACHE", "CACHE"), strict=True):
        bake_onto(folder, [item], line, start, kind)
    found = {"baked": heights(item, moments)}
    bpy.ops.wm.save_as_mainfile(filepath=project)
    bpy.ops.wm.open_mainfile(filepath=project, use_scripts=False)
    item = bpy.data.objects["head"]
    found["opened"] = heights(item, moments)
    notes = bake_onto(folders[1], [item], "b", 101, "KEYS").notes
    found["keyed"] = heights(item, [5, 105, 205])
    found["left"] = [[modifier.name for modifier in item.modifiers], len(item.animation_data.drivers), *notes]
    bake_onto(folders[2], [item], "c", 201.5, "KEYS")
    found["gone"] = [len(item.modifiers), len(item.animation_data.drivers), len(item.keys())]
    return found


def test_each_of_a_characters_caches_plays_in_its_own_frames(blender, tmp_path: Path) -> None:
    folders = [str(held(tmp_path / str(weight), weight)) for weight in (0.5, 0.25, 0.75)]
    found = blender(play_lines, folders=folders, project=tmp_path / "shot.blend")
    expected = [0.5, 0.5, 0.5, 0.25, 0.25, 0.5, 0.75, 0.75, 0.5]
    assert found["baked"] == pytest.approx(expected)
    assert found["opened"] == pytest.approx(expected)
    assert found["keyed"] == pytest.approx([0.5, 0.25, 0.75])
    assert found["left"] == [["Mouthpiece cache c"], 1]
    assert found["gone"] == [0, 0, 0]


def play_linked(folders: list[str], project: str) -> dict:
    """Keys and two caches on an override of a linked character that its own file animates; the scene is reopened."""
    import bpy

    empty_scene()
    item = add_mesh("head", ["jawOpen"])
    item.keyframe_insert("location", frame=1)
    bpy.ops.wm.save_as_mainfile(filepath=project)
    scene = empty_scene()
    with bpy.data.libraries.load(project, link=True) as (_, wanted):
        wanted.objects = ["head"]
    scene.collection.objects.link(bpy.data.objects["head"])
    item = bpy.data.objects["head"].override_create(remap_local_usages=True)
    lines = zip(folders, "kab", (201, 1, 101), ("KEYS", "CACHE", "CACHE"), strict=True)
    notes = [list(bake_onto(folder, [item], line, start, kind).notes) for folder, line, start, kind in lines]
    bpy.ops.wm.save_as_mainfile(filepath=str(Path(project).with_name("shot.blend")))
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    item = next(found for found in bpy.data.objects if found.override_library is not None)
    return {"notes": notes, "opened": heights(item, [5])}


def test_an_override_of_something_animated_plays_one_cache_throughout(blender, tmp_path: Path) -> None:
    folders = [str(held(tmp_path / str(weight), weight)) for weight in (0.75, 0.5, 0.25)]
    found = blender(play_linked, folders=folders, project=tmp_path / "head.blend")
    hidden = "k will not show while the mesh cache plays"
    assert found["notes"] == [[], [hidden], ["the mesh cache of a plays no longer", hidden]]
    assert found["opened"] == pytest.approx([0.25])


def bake_lines(folder: str) -> list[list[str]]:
    """Lines on one character at the same time, as keys and as caches; the notes of each."""
    empty_scene()
    item = add_mesh("head", list(NAMES))
    kinds = {"one": "KEYS", "two": "CACHE", "three": "CACHE", "four": "KEYS", "five": "SPARSE"}
    notes = []
    for place, (line, kind) in enumerate(kinds.items()):
        notes.append(list(bake_onto(folder, [item], line, 1 + 5 * place, kind).notes))
    return [*notes, list(bake_onto(folder, [item], "one", 15, "CACHE").notes)]


def test_what_a_cache_does_to_lines_at_the_same_time_is_said(blender, talk: Path) -> None:
    assert blender(bake_lines, folder=talk) == [
        [],
        ["one will not show while the mesh cache plays"],
        ["the mesh cache of two plays no longer"],
        ["the mesh cache of three plays no longer"],
        [],
        ["five, four will not show while the mesh cache plays"],
    ]


def play_old(folder: str) -> dict:
    """A character with the modifier and the property of an older bake, which knew one cache."""
    empty_scene()
    item = add_mesh("head", ["jawOpen"])
    item.modifiers.new("Mouthpiece cache", "MESH_CACHE")
    item["mouthpiece_line_cache"] = "before"
    baked = bake_onto(folder, [item], "said")
    return {"notes": list(baked.notes), "left": [modifier.name for modifier in item.modifiers]}


def test_the_cache_of_an_older_bake_is_replaced(blender, talk: Path) -> None:
    found = blender(play_old, folder=talk)
    assert found["notes"] == ["the mesh cache of before plays no longer"]
    assert found["left"] == ["Mouthpiece cache said"]
