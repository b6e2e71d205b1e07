"""Whether a scene is as Blender starts with it, so that the add-on may choose its colours and camera."""

import bpy

STARTUP = {"Cube": "MESH", "Camera": "CAMERA", "Light": "LIGHT"}
CORNERS = 8  # of the startup file's cube
RANGE = (1, 250)  # frames of a new scene
TRANSFORMS = ("AgX", "Filmic", "Standard")  # what new scenes show colours with, by version and template


def is_untouched(scene: bpy.types.Scene) -> bool:
    """Whether nobody has put anything into the scene, nor chosen its range, playback or colours."""
    look, editor = scene.view_settings, scene.sequence_editor
    colours = look.view_transform in TRANSFORMS and look.look == "None" and (look.exposure, look.gamma) == (0.0, 1.0)
    strips = [] if editor is None else editor.strips if hasattr(editor, "strips") else editor.sequences
    return (
        colours
        and (scene.frame_start, scene.frame_end) == RANGE
        and scene.sync_mode != "FRAME_DROP"
        and not len(strips)
        and not len(scene.timeline_markers)
        and all(_of_startup(item) for item in scene.objects)
    )


def _of_startup(item: bpy.types.Object) -> bool:
    untouched = STARTUP.get(item.name) == item.type and item.animation_data is None and not len(item.modifiers)
    return untouched and (item.type != "MESH" or len(item.data.vertices) == CORNERS)
