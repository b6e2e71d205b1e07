"""Bring an animation folder into the open scene: what the import operator calls."""

from collections.abc import Sequence
from pathlib import Path

import bpy

from .animation import read_animation
from .bake.character import BakedCharacter, bake_character
from .bake.scene import add_camera, include_frames, scene_rate, set_colours, set_timing
from .bake.talking_head import bake_talking_head
from .errors import AnimationError


def import_animation(
    scene: bpy.types.Scene, folder: Path | None, sound: Path | None, start: int, set_up_scene: bool
) -> str:
    """Bake the folder's animation into `scene` from frame `start`; returns a sentence that says what was made.

    With `set_up_scene` the scene takes over the animation's rate, range and colours, and gets a camera where it has
    none. Without it the rates must already agree. Raises AnimationError where they do not, or where a file is missing
    or damaged; the scene is unchanged then, save where a picture proves damaged inside only when Blender loads it.
    """
    if folder is None:
        raise AnimationError("No animation folder is chosen; choose the folder that holds animation.npz.")
    if sound is not None and not sound.is_file():
        raise AnimationError(f"There is no sound at {sound}; choose an existing file or leave the field empty.")
    animation = read_animation(folder)
    if not set_up_scene and abs(scene_rate(scene) - animation.fps) > 1e-3:
        raise AnimationError(
            f"The animation has {animation.fps:g} frames per second and the scene {scene_rate(scene):g}; "
            "switch on Set Up Scene, or give the scene the animation's rate."
        )
    if set_up_scene:
        # Before the bake: a sound strip's length in frames depends on the scene's rate.
        set_timing(scene, animation.fps, start, animation.frames)
        set_colours(scene)
    baked = bake_talking_head(scene, animation, folder.name, sound, start)
    if set_up_scene and scene.camera is None:
        add_camera(scene, baked.head)
    message = (
        f"Baked {animation.frames} frames of {baked.shape_keys} shape keys into {baked.head.name}, "
        f"frames {start} to {start + animation.frames - 1}"
    )
    return "; ".join([message, *baked.shortcomings()])


def bake_onto_character(
    scene: bpy.types.Scene,
    meshes: Sequence[bpy.types.Object],
    folder: Path | None,
    line: str,
    start: float,
    map_name: str,
    corrections: Sequence[tuple[str, str]] = (),
) -> str:
    """Bake the folder's animation onto a character's meshes; returns a sentence that says what was made.

    The scene keeps its rate; its range grows to hold the line. Raises AnimationError, MappingError; nothing is
    changed then.
    """
    if folder is None:
        raise AnimationError("No animation folder is chosen; choose the folder that holds animation.npz.")
    animation = read_animation(folder)
    baked = bake_character(scene, meshes, animation, line or folder.name, start, map_name, corrections)
    include_frames(scene, baked.first, baked.last)
    return describe_character(baked)


def describe_character(baked: BakedCharacter) -> str:
    """What a bake made, where, and what a person should know."""
    names = ", ".join(mesh.name for mesh in baked.meshes)
    message = (
        f"Baked {baked.keys} shape keys of {names} into the action {baked.actions[0].name}, "
        f"frames {baked.first:g} to {baked.last:g}"
    )
    left = len(baked.mapping.missing)
    absent = [f"the character lacks {left} shapes ({baked.mapping.missing[0]}...)"] if left else []
    return "; ".join([message, *absent, *baked.notes])
