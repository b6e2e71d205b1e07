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
from .characters import shape_key_names
from .line_action import Job, bake_into_line, check_free, driving_lines, remove_from_line
from .mesh_cache import (
    CacheFile,
    cache_path,
    cache_span,
    cached_lines,
    character_vertices,
    play_cache,
    remove_caches,
    write_caches,
)
from .options import CACHE, EXACT, SPARSE, ResultOptions
from .scene import scene_rate

ROUNDING = 1e-3  # of a weight: what a slider may take off unseen


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
    notes = [*_hushed(line, driven, span, options), *_notes(meshes, mapping, values, options)]
    if options.kind == CACHE:
        _play_caches(animation, line, mapping, values, scene_rate(scene) / animation.fps, span)
        actions, keyframes = (), 0
    else:
        actions, keyframes = _key(line, mapping, values, frames, options)
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


Values = dict[bpy.types.Object, np.ndarray]
"""Mesh to (T, K): a column for each of its driven shape keys."""


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
    paths = [f'key_blocks["{bpy.utils.escape_identifier(key)}"].value' for key in keys]
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
    paths = {mesh: cache_path(animation.folder, f"{line} {mesh.name}") for mesh in values}
    vertices = {mesh: character_vertices(mesh, list(mapping.driven[mesh.name]), values[mesh]) for mesh in values}
    write_caches(
        [CacheFile(paths[mesh], len(mesh.data.vertices), len(shown), vertices[mesh]) for mesh, shown in values.items()]
    )
    for mesh, path in paths.items():
        remove_from_line(line, mesh.data.shape_keys)
        play_cache(mesh, line, path, frames_each, span[0], cache_span(mesh, span))


def _check_editable(driven: Sequence[bpy.types.Object]) -> None:
    linked = [mesh for mesh in driven if not mesh.data.shape_keys.is_editable and not mesh.is_editable]
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
        if mesh.data.shape_keys.is_editable:
            continue
        local = mesh.data.override_create()
        if local is None:
            raise MappingError(f"The mesh of {mesh.name} cannot be overridden; make it local (Object > Relations).")
        mesh.data = local


def _hushed(
    line: str, driven: Sequence[bpy.types.Object], span: tuple[float, float], options: ResultOptions
) -> list[str]:
    """What becomes of the meshes' other lines at the same time: a mesh cache plays alone."""
    spans = {mesh: cache_span(mesh, span) if options.kind == CACHE else span for mesh in driven}
    cached = {found for mesh in driven for found in cached_lines(mesh, spans[mesh])} - {line}
    notes = [f"the mesh cache of {', '.join(sorted(cached))} plays no longer"] if cached else []
    if options.kind == CACHE:
        keyed = {found for mesh in driven for found in driving_lines(mesh.data.shape_keys, spans[mesh])} - {line}
        notes += [f"{', '.join(sorted(keyed))} will not show while the mesh cache plays"] if keyed else []
    return notes


def _notes(
    meshes: Sequence[bpy.types.Object], mapping: CharacterMap, values: Values, options: ResultOptions
) -> list[str]:
    """Why parts of a character may not move although their keys are baked, or not as far."""
    notes = []
    muted, steered, cut = [], [], []
    for mesh in meshes:
        if mesh not in values:
            notes += _stranger(mesh, mapping)
            continue
        keys = mesh.data.shape_keys
        pairs = mapping.driven[mesh.name]
        muted += [key for key in pairs if keys.key_blocks[key].mute]
        drivers = {} if keys.animation_data is None else {driver.data_path for driver in keys.animation_data.drivers}
        steered += [key for key in pairs if f'key_blocks["{bpy.utils.escape_identifier(key)}"].value' in drivers]
        if mesh.show_only_shape_key:
            notes.append(f"{mesh.name} shows one shape key only (Shape Key Lock is on)")
        if options.kind != CACHE:
            cut += _cut_off(keys, list(pairs), values[mesh])
        if options.kind != CACHE and not keys.use_relative:
            notes.append(f"{mesh.name} keeps still: its shape keys are absolute (tick Relative)")
    if muted:
        notes.append(f"{len(muted)} shape keys are switched off ({muted[0]})")
    if steered:
        notes.append(f"{len(steered)} shape keys follow drivers of the rig instead of the bake ({steered[0]})")
    if cut:
        notes.append(f"{len(cut)} shape keys are cut off by the range of their sliders ({cut[0]})")
    return notes


def _cut_off(keys: bpy.types.Key, names: Sequence[str], values: np.ndarray) -> list[str]:
    """Those of the shape keys whose values (T, K) pass the range of their slider, beyond which Blender holds them."""
    lows, highs = values.min(axis=0) + ROUNDING, values.max(axis=0) - ROUNDING
    blocks = [keys.key_blocks[name] for name in names]
    return [
        block.name
        for block, low, high in zip(blocks, lows, highs, strict=True)
        if low < block.slider_min or high > block.slider_max
    ]


def _stranger(mesh: bpy.types.Object, mapping: CharacterMap) -> list[str]:
    """A mesh that keeps still because its shape keys have the names of another rig map."""
    alone = map_character({mesh.name: shape_key_names(mesh)})
    if not alone.driven or alone.rig_map.name == mapping.rig_map.name:
        return []
    return [f"{mesh.name} keeps still: its shape keys are {alone.rig_map.title}; bake it by itself"]
