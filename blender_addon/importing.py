"""Bring an animation folder into the open scene: what the operators call."""

from collections.abc import Sequence
from pathlib import Path

import bpy

from .animation import Animation, read_animation
from .bake.character import BakedCharacter, bake_character
from .bake.markers import mark_words, remove_markers
from .bake.options import CACHE, EXACT, SPARSE, ResultOptions
from .bake.scene import add_camera, include_frames, set_colours, set_timing
from .bake.talking_head import TalkingHead, bake_talking_head
from .errors import AnimationError


def import_animation(
    scene: bpy.types.Scene,
    folder: Path | Animation | None,
    sound: Path | None,
    start: float,
    set_up_scene: bool,
    options: ResultOptions = EXACT,
) -> str:
    """Bake an animation, read already or in its folder, into `scene` from frame `start`; returns what was made.

    With `set_up_scene` the scene takes over the animation's rate, range and colours, and gets a camera where it has
    none. Without it the scene keeps its rate, and its range grows to hold the line. Raises AnimationError where a file
    is missing or damaged; the scene is unchanged then, save for a rate and range that were set up.
    """
    if sound is not None and not sound.is_file():
        raise AnimationError(f"There is no sound at {sound}; choose an existing file or leave the field empty.")
    animation = _read(folder)
    if set_up_scene:
        # Before the bake: a sound strip's length in frames depends on the scene's rate.
        set_timing(scene, animation.fps, round(start), animation.frames)
        set_colours(scene)
    line = animation.folder.name
    baked = bake_talking_head(scene, animation, line, sound, start, options)
    if set_up_scene and scene.camera is None:
        add_camera(scene, baked.head)
    if not set_up_scene:
        include_frames(scene, start, baked.last)
    words = _mark(scene, animation, line, start, options)
    return "; ".join([describe_head(baked, animation, start, options), *words, *baked.shortcomings()])


def bake_onto_character(
    scene: bpy.types.Scene,
    meshes: Sequence[bpy.types.Object],
    folder: Path | Animation | None,
    line: str,
    start: float,
    map_name: str,
    corrections: Sequence[tuple[str, str]] = (),
    within: tuple[float, float] | None = None,
    options: ResultOptions = EXACT,
) -> str:
    """Bake an animation, read already or in its folder, onto a character's meshes; returns what was made.

    The scene keeps its rate; its range grows to hold the line. within: scene frames that play, as `bake_character`
    takes them. Raises AnimationError, MappingError; nothing is changed then.
    """
    animation = _read(folder)
    line = line or animation.folder.name
    baked = bake_character(scene, meshes, animation, line, start, map_name, corrections, within, options)
    include_frames(scene, baked.first, baked.last)
    return "; ".join([describe_character(baked, options), *_mark(scene, animation, line, start, options)])


def _read(folder: Path | Animation | None) -> Animation:
    if isinstance(folder, Animation):
        return folder
    if folder is None:
        raise AnimationError("No animation folder is chosen; choose the folder that holds animation.npz.")
    return read_animation(folder)


def describe_head(baked: TalkingHead, animation: Animation, start: float, options: ResultOptions) -> str:
    """What a bake made, and where."""
    span = f"frames {start:g} to {baked.last:g}"
    if options.kind == CACHE:
        return f"Baked {animation.frames} frames of vertices into a mesh cache of {baked.head.name}, {span}"
    few = f" with {baked.keyframes} keys" if options.kind == SPARSE else ""
    return f"Baked {animation.frames} frames of {baked.shape_keys} shape keys{few} into {baked.head.name}, {span}"


def describe_character(baked: BakedCharacter, options: ResultOptions = EXACT) -> str:
    """What a bake made, where, and what a person should know."""
    names = ", ".join(mesh.name for mesh in baked.meshes)
    few = f" with {baked.keyframes} keys" if options.kind == SPARSE else ""
    into = "mesh caches" if options.kind == CACHE else f"the action {baked.actions[0].name}"
    message = f"Baked {baked.keys} shape keys of {names}{few} into {into}, frames {baked.first:g} to {baked.last:g}"
    left = len(baked.mapping.missing)
    absent = [f"the character lacks {left} shapes ({baked.mapping.missing[0]}...)"] if left else []
    return "; ".join([message, *absent, *baked.notes])


def _mark(scene: bpy.types.Scene, animation: Animation, line: str, start: float, options: ResultOptions) -> list[str]:
    """Set the markers of a line's words, or take them away; says so in a phrase."""
    if not options.markers:
        remove_markers(scene, line)
        return []
    count = mark_words(scene, line, animation.words, start)
    return [f"{count} words are marked in the timeline"] if count else []
