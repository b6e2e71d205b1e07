"""What a scene refers to is found again where the .blend was moved to with its folder."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from shape_keys.arkit import NAMES
from tests.blender.rigs import add_mesh
from tests.blender.scene_checks import bake, empty_scene, strips
from tests.blender.sound import write_tone
from tests.blender_addon.example import make_animation

pytestmark = pytest.mark.blender


def stored(scene) -> list[str]:
    """The paths of textures, sounds and mesh caches."""
    import bpy

    images = [image.filepath for image in bpy.data.images if image.source in ("FILE", "SEQUENCE")]
    sounds = [strip.sound.filepath for strip in strips(scene)]
    caches = [modifier.filepath for item in scene.objects for modifier in item.modifiers]
    return [*images, *sounds, *caches]


def move_project(project: str, moved: str, saved: bool) -> dict:
    """Bake a head and a mesh cache into a file that was saved before or not; save it, move its folder, open it."""
    import bpy

    scene = empty_scene()
    blend = Path(project) / "shot.blend"
    if saved:
        bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    folder = Path(project) / "mouthpiece" / "shot" / "talk"
    bake(str(folder), str(Path(project) / "tone.wav"))
    bake_cache(folder)
    paths = stored(scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    shutil.move(project, moved)
    bpy.ops.wm.open_mainfile(filepath=str(Path(moved) / "shot.blend"))
    found = [Path(bpy.path.abspath(path)) for path in stored(bpy.context.scene)]
    return {"stored": paths, "found": [path.is_file() for path in found], "sound": bpy.app.build_options.audaspace}


def bake_cache(folder: Path) -> None:
    import bpy

    from blender_addon.animation import read_animation
    from blender_addon.bake.character import bake_character
    from blender_addon.bake.options import CACHE, ResultOptions

    item = add_mesh("character", list(NAMES))
    animation = read_animation(folder)
    bake_character(bpy.context.scene, [item], animation, "said", options=ResultOptions(kind=CACHE))


@pytest.mark.parametrize("saved", [True, False])
def test_a_project_can_be_moved(blender, tmp_path: Path, saved: bool) -> None:
    project = tmp_path / "project"
    weights = np.full((3, 52), 0.5, np.float32)
    make_animation(project / "mouthpiece" / "shot" / "talk", 3, weights=weights, weight_names=np.array(NAMES))
    write_tone(project / "tone.wav", 0.2)
    found = blender(move_project, project=project, moved=tmp_path / "moved", saved=saved)
    assert len(found["stored"]) == len(found["found"]) == 3 + found["sound"]
    assert {path.startswith("//mouthpiece/shot/") or path == "//tone.wav" for path in found["stored"]} == {saved}
    assert all(found["found"])
