"""Write many animation curves at once into one action."""

from collections.abc import Sequence

import bpy
import numpy as np

LINEAR = 1  # BEZT_IPO_LIN of Blender's DNA_curve_types.h, as foreach_set takes it
MARGIN = 1e-3  # scene frames; a key this close to a range's end belongs to it
POINT = {
    **dict.fromkeys(("co", "handle_left", "handle_right"), (2, np.float32)),
    **dict.fromkeys(("interpolation", "easing", "type", "handle_left_type", "handle_right_type"), (1, np.int32)),
    **dict.fromkeys(("back", "amplitude", "period"), (1, np.float32)),
}
"""Everything a key has: property, numbers in it, their type."""


def write_action(owner: bpy.types.ID, name: str, paths: Sequence[str], frames: np.ndarray, values: np.ndarray):
    """Make the action `name` with a curve for each data path, and let it drive `owner`.

    `frames` is (T,) in scene frames, `values` (T, K) with a column for each of the K paths. Keys are linear.
    An action that drove `owner` before is removed. Returns the action.
    """
    animation_data = owner.animation_data_create()
    remove_action(owner)
    action = bpy.data.actions.new(name)
    slot = add_slot(action, owner)
    fill_curves(slot_curves(action, slot), paths, frames, values, [])
    animation_data.action = action
    if slot is not None:
        animation_data.action_slot = slot
    return action


def fill_curves(
    curves, paths: Sequence[str], frames: np.ndarray, values: np.ndarray, cleared: Sequence[tuple[float, float]]
) -> None:
    """Write linear keys into the curves of some data paths, which are made where they are missing.

    `frames` is (T,) in scene frames, ascending and not necessarily whole, `values` (T, K) with a column for each path.
    Keys within a `cleared` range (first, last; scene frames) go; all others stay as they are.
    """
    existing = {curve.data_path: curve for curve in curves}
    points = np.empty((len(frames), 2), dtype=np.float32)
    points[:, 0] = frames
    linear = np.full(len(frames), LINEAR, dtype=np.int32)
    for path, column in zip(paths, values.T, strict=True):
        curve = existing.get(path) or curves.new(path)
        kept = _keys_outside(curve, cleared)
        curve.keyframe_points.clear()
        curve.keyframe_points.add(len(frames))
        points[:, 1] = column
        curve.keyframe_points.foreach_set("co", points.ravel())
        curve.keyframe_points.foreach_set("interpolation", linear)
        if kept is not None:
            _add_keys(curve, kept)
        curve.update()


def clear_keys(curve, cleared: Sequence[tuple[float, float]]) -> int:
    """Remove the keys within some ranges of scene frames; returns how many keys are left."""
    kept = _keys_outside(curve, cleared)
    curve.keyframe_points.clear()
    if kept is not None:
        _add_keys(curve, kept)
        curve.update()
    return len(curve.keyframe_points)


def add_slot(action: bpy.types.Action, owner: bpy.types.ID):
    """A new slot for `owner`, None before Blender 4.4, which has no slots."""
    return action.slots.new(id_type=owner.id_type, name=owner.name) if hasattr(action, "slots") else None


def slot_curves(action: bpy.types.Action, slot):
    """The curve collection of a slot, made where it is missing; without slots the action's own."""
    if slot is None:
        return action.fcurves
    layer = action.layers[0] if len(action.layers) else action.layers.new("Layer")
    strip = layer.strips[0] if len(layer.strips) else layer.strips.new(type="KEYFRAME")
    return strip.channelbag(slot, ensure=True).fcurves


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
    return slot_curves(action, action.slots[0] if hasattr(action, "slots") else None)


def _keys_outside(curve, cleared: Sequence[tuple[float, float]]) -> dict[str, np.ndarray] | None:
    """Everything about the keys outside the ranges, None where there are none."""
    count = len(curve.keyframe_points)
    if not count:
        return None
    places = np.empty(2 * count, np.float32)
    curve.keyframe_points.foreach_get("co", places)
    times = places[0::2]
    outside = np.ones(count, bool)
    for first, last in cleared:
        outside &= (times < first - MARGIN) | (times > last + MARGIN)
    if not outside.any():
        return None
    kept = {}
    for name, (size, kind) in POINT.items():
        content = np.empty(size * count, kind)
        curve.keyframe_points.foreach_get(name, content)
        kept[name] = content.reshape(count, size)[outside]
    return kept


def _add_keys(curve, kept: dict[str, np.ndarray]) -> None:
    """Add keys that were read with `_keys_outside`, in the order of time."""
    points = curve.keyframe_points
    count = len(points)
    points.add(len(kept["co"]))
    merged = {}
    for name, (size, kind) in POINT.items():
        content = np.empty(size * len(points), kind)
        points.foreach_get(name, content)
        merged[name] = content.reshape(-1, size)
        merged[name][count:] = kept[name]
    order = np.argsort(merged["co"][:, 0], kind="stable")
    for name, content in merged.items():
        points.foreach_set(name, np.ascontiguousarray(content[order]).ravel())
