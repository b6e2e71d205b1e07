"""What the tests measure inside Blender; bpy is imported by the functions, which run in a process of their own."""

from pathlib import Path

import numpy as np

from blender_addon.animation import read_animation
from blender_addon.bake.options import ResultOptions
from blender_addon.timing import split_rate


def empty_scene():
    """Empty Blender; returns the scene."""
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    return bpy.context.scene


def bake(folder: str, sound: str | None = None, line: str = "hello", start: float = 1, **options):
    """Bake an animation folder into the current scene at the animation's rate; (animation, baked)."""
    import bpy

    from blender_addon.bake.talking_head import bake_talking_head

    animation, scene = read_animation(Path(folder)), bpy.context.scene
    scene.render.fps, scene.render.fps_base = split_rate(animation.fps)
    sounding = Path(sound) if sound else None
    return animation, bake_talking_head(scene, animation, line, sounding, start, ResultOptions(**options))


def evaluated_vertices(head, frame: int, part: float = 0.0) -> np.ndarray:
    """(vertices, 3) in the object's own space at a scene frame and a part of one, as Blender evaluates them."""
    import bpy

    bpy.context.scene.frame_set(frame, subframe=part)
    mesh = head.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    positions = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", positions)
    return positions.reshape(-1, 3)


def largest_error(head, animation, frames: list[int], start: int = 1) -> float:
    """Largest distance of a vertex from the animation over some 0-based frames, interocular units."""
    expected = animation.reference + animation.offsets
    distances = [
        np.linalg.norm(evaluated_vertices(head, frame + start) - expected[frame], axis=1).max() for frame in frames
    ]
    return float(max(distances))


def count_data() -> dict[str, int]:
    """How many data-blocks of each kind there are."""
    import bpy

    kinds = ("objects", "meshes", "shape_keys", "actions", "materials", "images", "sounds")
    return {kind: len(getattr(bpy.data, kind)) for kind in kinds}


def strips(scene) -> list:
    """The scene's sequencer strips."""
    editor = scene.sequence_editor
    if editor is None:
        return []
    return list(editor.strips if hasattr(editor, "strips") else editor.sequences)
