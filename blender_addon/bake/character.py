"""Bake an animation's weights onto the shape keys of characters: one action a line."""

from collections.abc import Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ..animation import Animation
from ..errors import MappingError
from ..mapping import AUTOMATIC, CharacterMap, map_character
from ..rig_map import convert
from .characters import shape_key_names
from .line_action import bake_into_line
from .scene import scene_rate


@dataclass(frozen=True)
class BakedCharacter:
    """What a bake made."""

    mapping: CharacterMap
    meshes: tuple[bpy.types.Object, ...]
    """The objects that are driven."""
    actions: tuple[bpy.types.Action, ...]
    """The line's action; before Blender 4.4 one for each mesh."""
    first: float
    """Scene frame of the first key."""
    last: float
    """Scene frame of the last key."""
    keys: int
    """Shape keys that are driven, over all meshes."""
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
) -> BakedCharacter:
    """Bake `animation` so that its frame 0 is scene frame `start`, which need not be whole.

    meshes: objects with shape keys, as `character_meshes` finds them. Each of the animation's frames gets a key at its
    true time, whatever the scene's rate. Baking a line again replaces it; keys outside its frames stay. within: (first,
    last) scene frames beyond which no keys are made, for a sound that plays in part. Raises MappingError where nothing
    could be driven; nothing is changed then.
    """
    mapping = map_character({mesh.name: shape_key_names(mesh) for mesh in meshes}, map_name, corrections)
    driven = [mesh for mesh in meshes if mesh.name in mapping.driven]
    mapping.check()
    _check_editable(driven)
    frames = start + np.arange(animation.frames) * (scene_rate(scene) / animation.fps)
    shown = np.ones(len(frames), bool) if within is None else (frames >= within[0]) & (frames <= within[1])
    if not shown.any():
        raise MappingError("None of the animation's frames lies in the part of the sound that plays; trim it less.")
    columns = convert(animation.weights[shown], animation.weight_names, mapping.rig_map, mapping.targets)
    place = {target: index for index, target in enumerate(mapping.targets)}
    _override_meshes(driven)
    jobs = []
    for mesh in driven:
        pairs = mapping.driven[mesh.name]
        paths = [f'key_blocks["{bpy.utils.escape_identifier(key)}"].value' for key in pairs]
        jobs.append((mesh.data.shape_keys, paths, columns[:, [place[target] for target in pairs.values()]]))
    actions = bake_into_line(line, frames[shown], jobs)
    return BakedCharacter(
        mapping=mapping,
        meshes=tuple(driven),
        actions=actions,
        first=float(frames[shown][0]),
        last=float(frames[shown][-1]),
        keys=sum(len(pairs) for pairs in mapping.driven.values()),
        notes=tuple(_notes(driven, mapping)),
    )


def _check_editable(driven: Sequence[bpy.types.Object]) -> None:
    linked = [mesh for mesh in driven if not mesh.data.shape_keys.is_editable and not mesh.is_editable]
    if linked:
        raise MappingError(
            f"{linked[0].name} is linked from another file; make a library override of it first "
            "(Object > Library Override > Make)."
        )


def _override_meshes(driven: Sequence[bpy.types.Object]) -> None:
    """Blender's override of a linked character stops short of its meshes, whose shape keys are to be keyed."""
    for mesh in driven:
        if not mesh.data.shape_keys.is_editable and mesh.data.override_create(remap_local_usages=True) is None:
            raise MappingError(f"The mesh of {mesh.name} cannot be overridden; make it local (Object > Relations).")


def _notes(driven: Sequence[bpy.types.Object], mapping: CharacterMap) -> list[str]:
    """Why parts of a character may not move although their keys are baked."""
    notes = []
    muted, steered = [], []
    for mesh in driven:
        keys = mesh.data.shape_keys
        pairs = mapping.driven[mesh.name]
        muted += [key for key in pairs if keys.key_blocks[key].mute]
        drivers = {} if keys.animation_data is None else {driver.data_path for driver in keys.animation_data.drivers}
        steered += [key for key in pairs if f'key_blocks["{bpy.utils.escape_identifier(key)}"].value' in drivers]
        if mesh.show_only_shape_key:
            notes.append(f"{mesh.name} shows one shape key only (Shape Key Lock is on)")
    if muted:
        notes.append(f"{len(muted)} shape keys are switched off ({muted[0]})")
    if steered:
        notes.append(f"{len(steered)} shape keys follow drivers of the rig instead of the bake ({steered[0]})")
    return notes
