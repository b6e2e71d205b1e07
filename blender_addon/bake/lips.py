"""Say which lip crop shows when: with the face's own keys, or beside a mesh cache by a formula.

Both are drivers that are simple expressions, which Blender computes without running Python.
"""

from collections.abc import Sequence

import bpy
import numpy as np

from ..animation import Animation
from .channels import Channel
from .textures import CROPS

LIPS = "Mouthpiece lips"
"""Custom property of the shape keys: [frame of the animation, 1 where the line plays in full], keyed as the face is."""
PATH = f'["{LIPS}"]'
FIRST_FRAME = -1_000_000  # before any scene frame
TIMING = f'nodes["{CROPS}"].image_user.'
"""How the data paths begin of what says which lip crop shows when."""


def shows_lips(material: bpy.types.Material) -> bool:
    """Whether a head's material has the lip crops."""
    return material.node_tree.nodes.get(CROPS) is not None


def key_lips(
    keys: bpy.types.Key, materials: Sequence[bpy.types.Material], animation: Animation, channels: Sequence[Channel]
) -> list[Channel]:
    """Let materials show the crop of the frame that shape keys show; returns the curves that say which that is.

    channels: of the shape keys, with keys from the line's first scene frame to its last. Wherever they have keys, so
    have the curves: strips, moved keys and stretched time take the texture along. What fades the line out lessens the
    frame's number too, but the curve of ones as much.
    """
    if not any(map(shows_lips, materials)):
        return []
    keys[LIPS] = (0.0, 1.0)
    for material in filter(shows_lips, materials):
        driver = _drive_crops(material, "floor(shown / max(weight, 0.001) + 0.5)", animation)
        for index, name in enumerate(("shown", "weight")):
            variable = driver.variables.new()
            variable.name = name
            target = variable.targets[0]
            target.id_type, target.id, target.data_path = "KEY", keys, f"{PATH}[{index}]"
    frames = np.unique(np.concatenate([channel.frames for channel in channels]))
    numbers = np.interp(frames, frames[[0, -1]], (0, animation.frames - 1))
    ends = np.unique(frames[[0, -1]])
    return [Channel(PATH, frames, numbers), Channel(PATH, ends, np.ones(len(ends)), index=1)]


def time_lips(materials: Sequence[bpy.types.Material], animation: Animation, start: float, rate: float) -> None:
    """Let materials show the crop nearest in time, for frame 0 at scene frame `start`, `rate` scene frames a second.

    Before and after the line, the first and last stay.
    """
    for material in filter(shows_lips, materials):
        _drive_crops(material, f"floor((frame - {start!r}) * {animation.fps / rate!r} + 0.5)", animation)


def forget_timing(material: bpy.types.Material) -> None:
    """Let nothing say any more which crop shows when."""
    drivers = material.node_tree.animation_data_create().drivers
    for curve in [curve for curve in drivers if curve.data_path.startswith(TIMING)]:
        drivers.remove(curve)


def follow_keys(material: bpy.types.Material, keys: bpy.types.Key | None) -> None:
    """Let a material that is a copy show what other shape keys show; without any, and beside a mesh cache, it stays."""
    tree = material.node_tree
    if keys is None or tree is None or tree.animation_data is None:
        return
    for curve in tree.animation_data.drivers:
        for variable in curve.driver.variables if curve.data_path.startswith(TIMING) else ():
            if variable.targets[0].id_type == "KEY":
                variable.targets[0].id = keys


def _drive_crops(material: bpy.types.Material, frame: str, animation: Animation) -> bpy.types.Driver:
    """Show the crop of the animation's frame that an expression names."""
    user = material.node_tree.nodes[CROPS].image_user
    user.use_auto_refresh = True
    # One frame that lasts for ever, and the number of the picture as its offset.
    user.frame_duration, user.frame_start = 1, FIRST_FRAME
    driver = user.driver_add("frame_offset").driver
    driver.type = "SCRIPTED"
    driver.expression = f"min(max({frame}, 0), {animation.frames - 1}) + {animation.first_crop}"
    return driver
