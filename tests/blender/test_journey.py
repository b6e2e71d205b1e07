"""What a user does, from the zip to a rendered face: install, enable, animate, save, open again, render."""

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import build
from tests.backend.service.running import make_sound
from tests.blender.test_addon import extension_tool

pytestmark = [pytest.mark.blender, pytest.mark.slow]

MODULE = "bl_ext.user_default.mouthpiece"
SIDE = 96  # pixels of the rendered pictures


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The zip that `build.py addon` makes, with the backend in it."""
    path = tmp_path / "mouthpiece.zip"
    folder = build.ROOT / "blender_addon"
    with zipfile.ZipFile(path, "w") as archive:
        for source in build.source_files(("blender_addon",)):
            build.add_file(archive, source, source.relative_to(folder).as_posix())
        for source in build.source_files(build.ADDON_SOURCES):
            build.add_file(archive, source, "bundle/" + source.relative_to(build.ROOT).as_posix())
    return path


def install_and_animate(package: str, checkout: str, sound: str, out: str) -> dict:
    """Install the zip, choose the backend, animate with the panel's button, save."""
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.extensions.package_install_files(filepath=package, repo="user_default", enable_on_install=True)
    preferences = bpy.context.preferences.addons[MODULE].preferences
    preferences.source, preferences.checkout = "FOLDER", checkout
    scene = bpy.context.scene
    scene.render.fps = 25
    scene.mouthpiece.sound = sound
    result = list(bpy.ops.mouthpiece.animate())
    head = next(item for item in scene.objects if item.type == "MESH")
    bpy.ops.wm.save_as_mainfile(filepath=out)
    bpy.ops.preferences.addon_disable(module=MODULE)
    return {
        "version": bpy.app.version_string,
        "result": result,
        "keys": len(head.data.shape_keys.key_blocks),
        "collection": head.users_collection[0].name,
        "span": [scene.frame_start, scene.frame_end],
    }


def open_and_render(path: str, folder: str) -> dict:
    """Enable the add-on anew, open the file and render two frames; (side, side, 3) pictures as lists, 0..1."""
    import bpy

    bpy.ops.preferences.addon_enable(module=MODULE)
    bpy.ops.wm.open_mainfile(filepath=path)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = 4, False
    scene.render.use_sequencer = False
    scene.render.resolution_x = scene.render.resolution_y = SIDE
    scene.render.resolution_percentage = 100
    pictures = []
    for frame in (1, 20):
        scene.frame_set(frame)
        scene.render.filepath = str(Path(folder) / f"{frame:04d}.png")
        bpy.ops.render.render(write_still=True)
        image = bpy.data.images.load(scene.render.filepath)
        pixels = np.empty(SIDE * SIDE * 4, np.float32)
        image.pixels.foreach_get(pixels)
        pictures.append(pixels.reshape(SIDE, SIDE, 4)[:, :, :3].tolist())
    settings = hasattr(scene, "mouthpiece")
    bpy.ops.preferences.addon_disable(module=MODULE)
    return {"pictures": pictures, "settings": settings}


def test_from_the_zip_to_a_rendered_face(blender, package: Path, tmp_path: Path, monkeypatch) -> None:
    if not (build.ROOT / ".venv").is_dir():
        pytest.skip("this checkout has no environment of its own to start a backend with")
    tool = blender(extension_tool)
    done = subprocess.run([sys.executable, tool, "validate", str(package)], capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    monkeypatch.setenv("BLENDER_USER_RESOURCES", str(tmp_path / "user"))
    monkeypatch.setenv("MOUTHPIECE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    (tmp_path / "user").mkdir()
    sound = tmp_path / "line.wav"
    sound.write_bytes(make_sound(7, 1.0))
    shot = tmp_path / "shot.blend"
    made = blender(install_and_animate, package=package, checkout=build.ROOT, sound=sound, out=shot)
    assert made["result"] == ["FINISHED"]
    assert made["keys"] > 10
    assert made["collection"] == "line"
    assert made["span"] == [1, 250]  # a range grows and never shrinks
    shown = blender(open_and_render, path=shot, folder=tmp_path)
    assert shown["settings"]
    first, later = np.array(shown["pictures"])
    skin = first[SIDE // 2 + 10, SIDE // 2]  # between the brows
    assert skin[0] > skin[2] + 0.1  # the atlas, not the pink of a missing picture
    assert np.abs(later - first)[: SIDE // 2].max() > 0.02  # the mouth has moved
