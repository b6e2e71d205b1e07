"""What the end-to-end tests measure inside Blender; runs in a process of its own."""

from pathlib import Path

from tests.blender.scene_checks import largest_error, strips


def measure_shot(blend: str, animation: str, frames: list[int]) -> dict:
    """Open a .blend that the command wrote and measure it against its animation folder."""
    import bpy

    from blender_addon.animation import read_animation

    bpy.ops.wm.open_mainfile(filepath=blend)
    scene = bpy.context.scene
    [head] = [item for item in scene.objects if item.type == "MESH"]
    return {
        "vertices": len(head.data.vertices),
        "error": largest_error(head, read_animation(Path(animation)), frames),
        "range": [scene.frame_start, scene.frame_end],
        "fps": scene.render.fps / scene.render.fps_base,
        "actions": len(bpy.data.actions),
        "camera": scene.camera is not None,
        "sounds": [strip.sound.filepath for strip in strips(scene)],
        "images": [image.filepath for image in bpy.data.images if image.source in ("FILE", "SEQUENCE")],
        "sequences": [image.filepath for image in bpy.data.images if image.source == "SEQUENCE"],
    }
