"""Mesh caches: files that appear whole or not at all, and what becomes of a character's other lines."""

from pathlib import Path

import numpy as np
import pytest

from blender_addon.animation import read_animation
from blender_addon.errors import AnimationError
from shape_keys.arkit import NAMES
from tests.blender.rigs import add_mesh
from tests.blender.scene_checks import bake, count_data, empty_scene
from tests.blender_addon.example import make_animation

pytestmark = pytest.mark.blender

FRAMES = 10


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    weights = np.full((FRAMES, 52), 0.5, np.float32)
    return make_animation(tmp_path / "talk", FRAMES, weights=weights, weight_names=np.array(NAMES))


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


def bake_lines(folder: str) -> list[list[str]]:
    """Lines on one character, as keys and as caches; the notes of each."""
    empty_scene()
    item = add_mesh("head", list(NAMES))
    kinds = {"one": "KEYS", "two": "CACHE", "three": "CACHE", "four": "KEYS", "five": "SPARSE"}
    notes = []
    for place, (line, kind) in enumerate(kinds.items()):
        notes.append(list(bake_onto(folder, [item], line, 100 * place, kind).notes))
    return [*notes, list(bake_onto(folder, [item], "one", 1, "CACHE").notes)]


def test_what_a_cache_does_to_other_lines_is_said(blender, talk: Path) -> None:
    assert blender(bake_lines, folder=talk) == [
        [],
        ["one will not show while the mesh cache plays"],
        ["the mesh cache of two plays no longer", "one will not show while the mesh cache plays"],
        ["the mesh cache of three plays no longer"],
        [],
        ["five, four will not show while the mesh cache plays"],
    ]
