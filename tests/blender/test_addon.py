"""The extension: packaged and installed as a user would, and its operator does what its function does."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.blender.scene_checks import empty_scene, largest_error
from tests.blender.sound import write_tone
from tests.blender_addon.example import make_animation

pytestmark = pytest.mark.blender

ADDON = Path(__file__).resolve().parents[2] / "blender_addon"


def extension_tool() -> str:
    """Path of Blender's own extension packaging tool."""
    import bpy

    return str(Path(bpy.utils.resource_path("LOCAL")) / "scripts/addons_core/bl_pkg/cli/blender_ext.py")


def test_blenders_own_tool_accepts_the_extension(blender, tmp_path: Path) -> None:
    tool = blender(extension_tool)
    package = tmp_path / "mouthpiece.zip"
    for arguments in (
        ["validate", str(ADDON)],
        ["build", "--source-dir", str(ADDON), "--output-filepath", str(package)],
        ["validate", str(package)],
    ):
        done = subprocess.run([sys.executable, tool, *arguments], capture_output=True, text=True, timeout=180)
        assert done.returncode == 0, done.stdout + done.stderr


def install(package: str, folder: str, sound: str) -> dict:
    """Install the zip, run the operator from the panel's settings, and disable the extension again."""
    import bpy

    bpy.ops.extensions.package_install_files(filepath=package, repo="user_default", enable_on_install=True)
    module = "bl_ext.user_default.mouthpiece"
    enabled = module in bpy.context.preferences.addons
    result = bpy.ops.mouthpiece.import_animation(folder=folder, sound=sound, start=1)
    panel = hasattr(bpy.types, "MOUTHPIECE_PT_import")
    vertices = [
        len(item.data.vertices) for item in bpy.context.scene.objects if item.type == "MESH" and item.name == "a"
    ]
    bpy.ops.preferences.addon_disable(module=module)
    return {
        "enabled": enabled,
        "result": list(result),
        "panel": panel,
        "vertices": vertices,
        "left": [hasattr(bpy.types, "MOUTHPIECE_PT_import"), hasattr(bpy.types.Scene, "mouthpiece")],
    }


def test_installs_and_works_from_the_zip(blender, tmp_path: Path, monkeypatch) -> None:
    tool = blender(extension_tool)
    package = tmp_path / "mouthpiece.zip"
    command = [sys.executable, tool, "build", "--source-dir", str(ADDON), "--output-filepath", str(package)]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    monkeypatch.setenv("BLENDER_USER_RESOURCES", str(tmp_path / "user"))
    (tmp_path / "user").mkdir()
    folder, sound = make_animation(tmp_path / "a"), write_tone(tmp_path / "tone.wav", 0.5)
    found = blender(install, package=package, folder=folder, sound=sound)
    assert found == {
        "enabled": True,
        "result": ["FINISHED"],
        "panel": True,
        "vertices": [468],
        "left": [False, False],
    }


def operate(folder: str, sound: str) -> dict:
    """Import with the operator into a scene that has a camera, at frame 10."""
    import bpy

    import blender_addon
    from blender_addon.animation import read_animation

    scene = empty_scene()
    camera = bpy.data.objects.new("mine", bpy.data.cameras.new("mine"))
    scene.collection.objects.link(camera)
    scene.camera = camera
    blender_addon.register()
    bpy.ops.mouthpiece.import_animation(folder=folder, sound=sound, start=10)
    head = next(item for item in scene.objects if item.type == "MESH")
    answer = {
        "error": largest_error(head, read_animation(Path(folder)), [0, 4, 11], start=10),
        "range": [scene.frame_start, scene.frame_end],
        "rate": scene.render.fps / scene.render.fps_base,
        "camera": scene.camera.name,
        "colours": scene.view_settings.view_transform,
    }
    blender_addon.unregister()
    blender_addon.register()
    blender_addon.unregister()
    return answer


def test_the_operator_sets_up_the_scene_and_keeps_its_camera(blender, tmp_path: Path) -> None:
    folder = make_animation(tmp_path / "a", frames=12, fps=24.0)
    found = blender(operate, folder=folder, sound=write_tone(tmp_path / "tone.wav", 0.5))
    assert found["error"] < 1e-4
    assert found["range"] == [10, 21]
    assert found["rate"] == 24
    assert found["camera"] == "mine"
    assert found["colours"] == "Standard"


def refuse(cases: list[dict]) -> dict:
    """Run the operator with bad arguments; the messages, and what is in the scene afterwards."""
    import bpy

    import blender_addon

    scene = empty_scene()
    scene.render.fps = 24
    blender_addon.register()
    messages = []
    for case in cases:
        try:
            bpy.ops.mouthpiece.import_animation(**case)
            messages.append("finished")
        except RuntimeError as error:
            messages.append(str(error))
    blender_addon.unregister()
    return {"messages": messages, "objects": len(scene.objects), "meshes": len(bpy.data.meshes)}


def test_the_operator_says_what_is_wrong_and_changes_nothing(blender, tmp_path: Path) -> None:
    folder = str(make_animation(tmp_path / "a"))
    cases = [
        {},
        {"folder": str(tmp_path / "none")},
        {"folder": folder, "sound": str(tmp_path / "none.wav")},
    ]
    found = blender(refuse, cases=cases)
    for message, words in zip(
        found["messages"],
        ["No animation folder", "no animation.npz", "no sound at"],
        strict=True,
    ):
        assert words in message
    assert (found["objects"], found["meshes"]) == (0, 0)
