"""Turn the talking head as its line says: rotation curves of the object, in a slot of their own."""

import math

import bpy
import numpy as np

from .channels import Channel, sparse_channels
from .options import SPARSE, ResultOptions
from .strips import animated_paths

PATH = "rotation_euler"
TURNING = ("rotation_", "delta_rotation_")  # how the data paths begin of all that turns an object
UPRIGHT = (math.pi / 2, 0.0, 0.0)  # turns head space, y up, so that the head stands on Blender's z and looks along -y
STANDS = "mouthpiece_stands"
"""Custom property of a head whose standing rotation is its delta rotation."""
TOLERANCE = 0.002  # radians a sparse curve may be off: a tenth of a degree


def head_turns(
    head: bpy.types.Object, rotation: np.ndarray | None, frames: np.ndarray, options: ResultOptions
) -> list[Channel]:
    """Curves for angles (T, 3) in head space; none where the head keeps still, or is turned by something else.

    How the head stands goes into the delta transform, which Blender applies on top of what is keyed: so the keys are
    the head's own turns, and the head can be turned as a whole there or by a parent.
    """
    if rotation is None or (STANDS not in head and _is_turned(head)):
        return []
    _free_rotation(head)
    if options.kind == SPARSE:
        thinned = sparse_channels([PATH] * 3, frames, rotation, TOLERANCE)
        return [_at(channel, axis) for axis, channel in enumerate(thinned)]
    return [Channel(PATH, frames, rotation[:, axis], index=axis) for axis in range(3)]


def _at(channel: Channel, axis: int) -> Channel:
    return Channel(channel.path, channel.frames, channel.values, channel.slopes, axis)


def _is_turned(head: bpy.types.Object) -> bool:
    """Whether keys, strips or drivers turn an object; they would mean other poses beside another delta rotation."""
    return any(path.startswith(TURNING) for path in animated_paths(head))


def _free_rotation(head: bpy.types.Object) -> None:
    """Move the object's standing rotation to its delta rotation, once; the head does not move by this."""
    if head.rotation_mode != "XYZ":
        head.rotation_mode = "XYZ"  # Blender converts the angles
    if STANDS in head:
        return
    whole = head.delta_rotation_euler.to_matrix() @ head.rotation_euler.to_matrix()
    head.delta_rotation_euler = whole.to_euler("XYZ")
    head.rotation_euler = (0.0, 0.0, 0.0)
    head[STANDS] = True


def stop_turning(head: bpy.types.Object) -> None:
    """Let a head that turned in an earlier bake look straight ahead again."""
    if head.get(STANDS):
        head.rotation_euler = (0.0, 0.0, 0.0)
