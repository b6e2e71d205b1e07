"""What a person should know about a bake onto a character, as phrases: why it may not move as it was baked."""

from collections.abc import Sequence

import bpy
import numpy as np

from ..mapping import CharacterMap, map_character
from .characters import shape_key_names, value_path
from .line_action import driving_lines
from .mesh_cache import cache_span, cached_lines
from .strips import animated_paths

ROUNDING = 1e-3  # of a weight: what a slider may take off unseen
Values = dict[bpy.types.Object, np.ndarray]
"""Mesh to (T, K): a column for each of its driven shape keys."""


def note_hushed(line: str, driven: Sequence[bpy.types.Object], span: tuple[float, float], cached: bool) -> list[str]:
    """Before a bake: what becomes of the meshes' other lines at the same time, since a mesh cache plays alone.

    span: first and last scene frame of the line; cached: whether it becomes a mesh cache.
    """
    spans = {mesh: cache_span(mesh, span) if cached else span for mesh in driven}
    silent = {found for mesh in driven for found in cached_lines(mesh, spans[mesh])} - {line}
    notes = [f"the mesh cache of {', '.join(sorted(silent))} plays no longer"] if silent else []
    if cached:
        keyed = {found for mesh in driven for found in driving_lines(mesh.data.shape_keys, spans[mesh])} - {line}
        notes += [f"{', '.join(sorted(keyed))} will not show while the mesh cache plays"] if keyed else []
    return notes


def note_strangers(meshes: Sequence[bpy.types.Object], mapping: CharacterMap) -> list[str]:
    """Meshes that keep still because their shape keys have the names of another rig map."""
    notes = []
    for mesh in meshes:
        alone = map_character({mesh.name: shape_key_names(mesh)})
        if mesh.name not in mapping.driven and alone.driven and alone.rig_map.name != mapping.rig_map.name:
            notes.append(f"{mesh.name} keeps still: its shape keys are {alone.rig_map.title}; bake it by itself")
    return notes


def note_keyed(mapping: CharacterMap, values: Values, actions: Sequence[bpy.types.Action]) -> list[str]:
    """After a bake of keys into a line's actions: why they may not show, or not as far."""
    notes = []
    muted, steered, cut = [], [], []
    for mesh, shown in values.items():
        keys, names = mesh.data.shape_keys, list(mapping.driven[mesh.name])
        muted += [name for name in names if keys.key_blocks[name].mute]
        drivers = {driver.data_path for driver in keys.animation_data.drivers}
        steered += [name for name in names if value_path(name) in drivers]
        cut += _cut_off(keys, names, shown)
        notes += _soloed(mesh, actions)
        if mesh.show_only_shape_key:
            notes.append(f"{mesh.name} shows one shape key only (Shape Key Lock is on)")
        if not keys.use_relative:
            notes.append(f"{mesh.name} keeps still: its shape keys are absolute (tick Relative)")
    if muted:
        notes.append(f"{len(muted)} shape keys are switched off ({muted[0]})")
    if steered:
        notes.append(f"{len(steered)} shape keys follow drivers of the rig instead of the bake ({steered[0]})")
    if cut:
        notes.append(f"{len(cut)} shape keys are cut off by the range of their sliders ({cut[0]})")
    return notes


def note_cached(mapping: CharacterMap, values: Values) -> list[str]:
    """After a bake of mesh caches: what else moves the meshes' shape keys, for a cache holds it as it was just then."""
    notes = []
    for mesh in values:
        keys, names = mesh.data.shape_keys, mapping.driven[mesh.name]
        moving = animated_paths(keys)
        still = [
            key.name
            for key in keys.key_blocks[1:]
            if key.name not in names and not key.mute and value_path(key.name) in moving
        ]
        if still:
            notes.append(f"{len(still)} shape keys of {mesh.name} keep still while the mesh cache plays ({still[0]})")
    return notes


def _soloed(mesh: bpy.types.Object, actions: Sequence[bpy.types.Action]) -> list[str]:
    """A track of the non-linear animation that plays alone, and is not the line's."""
    return [
        f"{mesh.name} does not show the line: its track {track.name} plays alone "
        "(click its star in the Nonlinear Animation editor)"
        for track in mesh.data.shape_keys.animation_data.nla_tracks
        if track.is_solo and not any(strip.action in actions for strip in track.strips)
    ]


def _cut_off(keys: bpy.types.Key, names: Sequence[str], values: np.ndarray) -> list[str]:
    """Those of the shape keys whose values (T, K) pass the range of their slider, beyond which Blender holds them."""
    lows, highs = values.min(axis=0) + ROUNDING, values.max(axis=0) - ROUNDING
    blocks = [keys.key_blocks[name] for name in names]
    return [
        block.name
        for block, low, high in zip(blocks, lows, highs, strict=True)
        if low < block.slider_min or high > block.slider_max
    ]
