"""Write many animation curves at once into one action."""

from collections.abc import Sequence

import bpy
import numpy as np

LINEAR = 1  # BEZT_IPO_LIN of Blender's DNA_curve_types.h, as foreach_set takes it


def write_action(owner: bpy.types.ID, name: str, paths: Sequence[str], frames: np.ndarray, values: np.ndarray):
    """Make the action `name` with a curve for each data path, and let it drive `owner`.

    `frames` is (T,) in scene frames, `values` (T, K) with a column for each of the K paths. Keys are linear.
    An action that drove `owner` before is removed. Returns the action.
    """
    animation_data = owner.animation_data_create()
    remove_action(owner)
    action = bpy.data.actions.new(name)
    curves, slot = _new_curves(action, owner)
    points = np.empty((len(frames), 2), dtype=np.float32)
    points[:, 0] = frames
    linear = np.full(len(frames), LINEAR, dtype=np.int32)
    for path, column in zip(paths, values.T, strict=True):
        curve = curves.new(path)
        curve.keyframe_points.add(len(frames))
        points[:, 1] = column
        curve.keyframe_points.foreach_set("co", points.ravel())
        curve.keyframe_points.foreach_set("interpolation", linear)
        curve.update()
    animation_data.action = action
    if slot is not None:
        animation_data.action_slot = slot
    return action


def remove_action(owner: bpy.types.ID) -> None:
    """Take the action off `owner`, and delete it where nothing else uses it."""
    animation_data = owner.animation_data
    if animation_data is None or animation_data.action is None:
        return
    action = animation_data.action
    animation_data.action = None
    if action.users == 0:
        bpy.data.actions.remove(action)


def action_curves(action: bpy.types.Action):
    """The curves of an action's first slot, whatever the version of Blender keeps them in."""
    if not hasattr(action, "slots"):
        return action.fcurves
    return action.layers[0].strips[0].channelbag(action.slots[0]).fcurves


def _new_curves(action: bpy.types.Action, owner: bpy.types.ID):
    """(curve collection, slot); slots exist since Blender 4.4."""
    if not hasattr(action, "slots"):
        return action.fcurves, None
    slot = action.slots.new(id_type=owner.id_type, name=owner.name)
    strip = action.layers.new("Layer").strips.new(type="KEYFRAME")
    return strip.channelbag(slot, ensure=True).fcurves, slot
