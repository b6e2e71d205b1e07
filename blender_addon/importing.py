"""Bring an animation folder into the open scene: what the operators call."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import bpy

from .animation import Animation, read_animation
from .bake.character import BakedCharacter, bake_character
from .bake.markers import mark_words, remove_markers
from .bake.options import CACHE, EXACT, SPARSE, ResultOptions
from .bake.scene import add_camera, include_frames, scene_rate, set_colours, set_timing
from .bake.talking_head import TalkingHead, bake_talking_head
from .errors import AnimationError
from .recordings import Recording, folder_recording, line_name, remember_line


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
    none. Without it the scene keeps its rate, and its range grows to hold the line. The line is named after the folder,
    with a number where another recording has the name. Raises AnimationError where a file is missing or damaged; the
    scene is unchanged then, save for a rate and range that were set up.
    """
    if sound is not None and not sound.is_file():
        raise AnimationError(f"There is no sound at {sound}; choose an existing file or leave the field empty.")
    animation = _read(folder)
    if set_up_scene:
        # Before the bake: a sound strip's length in frames depends on the scene's rate.
        set_timing(scene, animation.fps, round(start), animation.frames)
        set_colours(scene)
    recording = folder_recording(animation)
    line = line_name(animation.folder.name, recording)
    head, message = bake_head(scene, animation, line, sound, start, recording, None, options)
    if set_up_scene and scene.camera is None:
        add_camera(scene, head)
    return message


def bake_head(
    scene: bpy.types.Scene,
    animation: Animation,
    line: str,
    sound: Path | None,
    start: float,
    recording: Recording,
    within: tuple[float, float] | None = None,
    options: ResultOptions = EXACT,
) -> tuple[bpy.types.Object, str]:
    """Bake an animation as the talking head of a line; (the head, what was made).

    The scene keeps its rate; its range grows to hold the line. recording: what the line is made of. within: (first,
    last) scene frames that play; the head moves in these alone. Raises AnimationError; nothing is changed then.
    """
    played, first = animation, start
    if within is not None:
        each = scene_rate(scene) / animation.fps
        skipped, played = animation.part((within[0] - start) / each, (within[1] - start) / each)
        first += skipped * each
    baked = bake_talking_head(scene, played, line, sound, first, options)
    include_frames(scene, first, baked.last)
    remember_line(scene, line, replace(recording, digest=animation.audio_sha256))
    words = _mark(scene, animation, line, start, options, within)
    return baked.head, "; ".join([describe_head(baked, played, first, options), *words, *baked.shortcomings()])


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
    recording: Recording | None = None,
) -> str:
    """Bake an animation, read already or in its folder, onto a character's meshes; returns what was made.

    The scene keeps its rate; its range grows to hold the line. line: its name; where it is empty, the folder's, with a
    number where another recording has the name. within: scene frames that play, as `bake_character` takes them.
    recording: what the line is made of, the folder by default. Raises AnimationError, MappingError; nothing is changed
    then.
    """
    animation = _read(folder)
    recording = recording or folder_recording(animation)
    line = line or line_name(animation.folder.name, recording)
    baked = bake_character(scene, meshes, animation, line, start, map_name, corrections, within, options)
    include_frames(scene, baked.first, baked.last)
    remember_line(scene, line, replace(recording, digest=animation.audio_sha256))
    words = _mark(scene, animation, line, start, options, within)
    still = (
        []
        if animation.head_rotation is None
        else ["the character's head is not turned: Style > Head turns new talking heads"]
    )
    return "; ".join([describe_character(baked, options), *words, *still])


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


def _mark(
    scene: bpy.types.Scene,
    animation: Animation,
    line: str,
    start: float,
    options: ResultOptions,
    within: tuple[float, float] | None = None,
) -> list[str]:
    """Set the markers of a line's words that play, or take them away; says so in a phrase."""
    if not options.markers:
        remove_markers(scene, line)
        return []
    count = mark_words(scene, line, animation.words, start, within)
    return [f"{count} words are marked in the timeline"] if count else []
