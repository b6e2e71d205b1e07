"""Bake an animation's weights onto the shape keys of characters: one action a line."""

from collections.abc import Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ..animation import Animation
from ..errors import MappingError
from ..mapping import AUTOMATIC, CharacterMap, map_character
from ..rig_map import convert
from .channels import Channel, count_keys, dense_channels, sparse_channels
from .characters import shape_key_names, value_path
from .line_action import Job, bake_into_line, check_free, remove_from_line
from .mesh_cache import CacheFile, cache_path, cache_span, character_vertices, play_cache, remove_caches, write_caches
from .notes import Values, note_cached, note_hushed, note_keyed, note_strangers
from .options import CACHE, EXACT, SPARSE, ResultOptions
from .scene import scene_rate


@dataclass(frozen=True)
class BakedCharacter:
    """What a bake made."""

    mapping: CharacterMap
    meshes: tuple[bpy.types.Object, ...]
    """The objects that are driven."""
    actions: tuple[bpy.types.Action, ...]
    """The line's action; before Blender 4.4 one for each mesh; none for a mesh cache."""
    first: float
    """Scene frame of the first key."""
    last: float
    """Scene frame of the last key."""
    keys: int
    """Shape keys that are driven, over all meshes."""
    keyframes: int
    """Keys on all their curves; 0 for a mesh cache."""
    notes: tuple[str, ...]
    """What a person should know, as phrases."""


def bake_character(
    scene: bpy.types.Scene,
    meshes: Sequence[bpy.types.Object],
    animation: Animation,
    line: str,
    start: float = 1.0,
    map_name: str = AUTOMATIC,
    corrections: Sequence[tuple[str, str]] = (),
    within: tuple[float, float] | None = None,
    options: ResultOptions = EXACT,
) -> BakedCharacter:
    """Bake `animation` so that its frame 0 is scene frame `start`, which need not be whole.

    meshes: objects with shape keys, as `character_meshes` finds them. Each of the animation's frames gets a key at its
    true time, whatever the scene's rate. Baking a line again replaces it; keys outside its frames stay. within: (first,
    last) scene frames beyond which no keys are made, for a sound that plays in part. Raises MappingError where nothing
    could be driven, AnimationError where a strip is in tweak mode or a mesh cache cannot be written; nothing is
    changed then.
    """
    mapping = map_character({mesh.name: shape_key_names(mesh) for mesh in meshes}, map_name, corrections)
    driven = [mesh for mesh in meshes if mesh.name in mapping.driven]
    mapping.check()
    _check_editable(driven)
    frames = start + np.arange(animation.frames) * (scene_rate(scene) / animation.fps)
    shown = np.ones(len(frames), bool) if within is None else (frames >= within[0]) & (frames <= within[1])
    if not shown.any():
        raise MappingError("None of the animation's frames lies in the part of the sound that plays; trim it less.")
    frames = frames[shown]
    span = (float(frames[0]), float(frames[-1]))
    columns = convert(animation.weights[shown], animation.weight_names, mapping.rig_map, mapping.targets)
    place = {target: index for index, target in enumerate(mapping.targets)}
    values = {mesh: columns[:, [place[target] for target in mapping.driven[mesh.name].values()]] for mesh in driven}
    notes = [*note_hushed(line, driven, span, options.kind == CACHE), *note_strangers(meshes, mapping)]
    if options.kind == CACHE:
        _play_caches(animation, line, mapping, values, scene_rate(scene) / animation.fps, span)
        actions, keyframes = (), 0
        notes += note_cached(mapping, values)
    else:
        actions, keyframes = _key(line, mapping, values, frames, options)
        notes += note_keyed(mapping, values, actions)
    return BakedCharacter(
        mapping=mapping,
        meshes=tuple(driven),
        actions=actions,
        first=span[0],
        last=span[1],
        keys=sum(len(pairs) for pairs in mapping.driven.values()),
        keyframes=keyframes,
        notes=tuple(notes),
    )


def _key(
    line: str, mapping: CharacterMap, values: Values, frames: np.ndarray, options: ResultOptions
) -> tuple[tuple[bpy.types.Action, ...], int]:
    """(the line's actions, keys written)."""
    _override_meshes(list(values))
    channels = {mesh: _channels(list(mapping.driven[mesh.name]), frames, values[mesh], options) for mesh in values}
    span = (float(frames[0]), float(frames[-1]))
    for mesh in values:
        remove_caches(mesh, line, span)
    jobs = [Job(mesh.data.shape_keys, channels[mesh]) for mesh in values]
    actions = bake_into_line(line, span, jobs, options.action_name, options.push_to_nla)
    return actions, sum(count_keys(found) for found in channels.values())


def _channels(keys: list[str], frames: np.ndarray, values: np.ndarray, options: ResultOptions) -> list[Channel]:
    paths = [value_path(key) for key in keys]
    if options.kind == SPARSE:
        return sparse_channels(paths, frames, values, options.tolerance)
    return dense_channels(paths, frames, values)


def _play_caches(
    animation: Animation,
    line: str,
    mapping: CharacterMap,
    values: Values,
    frames_each: float,
    span: tuple[float, float],
) -> None:
    """Write every mesh's vertices first, so that a full disk leaves the scene as it is; then play them."""
    paths = {mesh: cache_path(animation.folder, line, mesh.name) for mesh in values}
    vertices = {mesh: character_vertices(mesh, list(mapping.driven[mesh.name]), values[mesh]) for mesh in values}
    write_caches(
        [CacheFile(paths[mesh], len(mesh.data.vertices), len(shown), vertices[mesh]) for mesh, shown in values.items()]
    )
    for mesh, path in paths.items():
        remove_from_line(line, mesh.data.shape_keys)
        play_cache(mesh, line, path, frames_each, span[0], cache_span(mesh, span))


def _check_editable(driven: Sequence[bpy.types.Object]) -> None:
    linked = [mesh for mesh in driven if mesh.data.shape_keys.library and mesh.library]
    if linked:
        raise MappingError(
            f"{linked[0].name} is linked from another file; make a library override of it first "
            "(Object > Library Override > Make)."
        )
    for mesh in driven:
        check_free(mesh.name, [mesh.data.shape_keys])


def _override_meshes(driven: Sequence[bpy.types.Object]) -> None:
    """Blender's override of a linked character stops short of its meshes, whose shape keys are to be keyed.

    Each object gets a mesh of its own: another override of the same character is another one that speaks.
    """
    for mesh in driven:
        if mesh.data.shape_keys.library is None:
            continue
        local = mesh.data.override_create()
        if local is None:
            raise MappingError(f"The mesh of {mesh.name} cannot be overridden; make it local (Object > Relations).")
        mesh.data = local
