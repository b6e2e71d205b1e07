"""Write many animation curves at once into one action."""

from collections.abc import Sequence

import bpy
import numpy as np

from ..keyframes import THIRD
from .channels import Channel

LINEAR, BEZIER = 1, 2  # BEZT_IPO_LIN and _BEZ of Blender's DNA_curve_types.h, as foreach_set takes them
ALIGNED = 3  # HD_ALIGN
MARGIN = 1e-3  # scene frames; a key this close to a range's end belongs to it
POINT = {
    **dict.fromkeys(("co", "handle_left", "handle_right"), (2, np.float32)),
    **dict.fromkeys(("interpolation", "easing", "type", "handle_left_type", "handle_right_type"), (1, np.int32)),
    **dict.fromkeys(("back", "amplitude", "period"), (1, np.float32)),
}
"""Everything a key has: property, numbers in it, their type."""


def fill_curves(curves, channels: Sequence[Channel], cleared: Sequence[tuple[float, float]]) -> None:
    """Write the keys of channels into their curves, which are made where they are missing.

    Keys within a `cleared` range (first, last; scene frames) go; all others stay as they are.
    """
    existing = {(curve.data_path, curve.array_index): curve for curve in curves}
    for channel in channels:
        place = (channel.path, channel.index)
        curve = existing.get(place) or curves.new(channel.path, index=channel.index)
        kept = _keys_outside(curve, cleared)
        curve.keyframe_points.clear()
        curve.keyframe_points.add(len(channel.frames))
        _set_keys(curve.keyframe_points, channel)
        if kept is not None:
            _add_keys(curve, kept)
        curve.update()


def _set_keys(points, channel: Channel) -> None:
    """Write a channel's keys over as many that exist."""
    places = _pairs(channel.frames, channel.values)
    points.foreach_set("co", places.ravel())
    kind = LINEAR if channel.slopes is None else BEZIER
    points.foreach_set("interpolation", np.full(len(places), kind, np.int32))
    if channel.slopes is None:
        return
    gaps = np.diff(channel.frames) * THIRD
    gaps = gaps if len(gaps) else np.ones(1)
    before, after = np.append(gaps[:1], gaps), np.append(gaps, gaps[-1:])
    for side, reach in (("left", -before), ("right", after)):
        handles = _pairs(channel.frames + reach, channel.values + reach * channel.slopes)
        points.foreach_set(f"handle_{side}_type", np.full(len(places), ALIGNED, np.int32))
        points.foreach_set(f"handle_{side}", handles.ravel())


def _pairs(frames: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.stack([frames, values], axis=1).astype(np.float32)


def clear_keys(curve, cleared: Sequence[tuple[float, float]]) -> int:
    """Remove the keys within some ranges of scene frames; returns how many keys are left."""
    kept = _keys_outside(curve, cleared)
    curve.keyframe_points.clear()
    if kept is not None:
        _add_keys(curve, kept)
        curve.update()
    return len(curve.keyframe_points)


def count_outside(curve, spans: Sequence[tuple[float, float]]) -> int:
    """How many keys of a curve lie in none of some ranges of scene frames."""
    kept = _keys_outside(curve, spans)
    return 0 if kept is None else len(kept["co"])


def move_keys(owner: bpy.types.ID, frames: float) -> None:
    """Move all keys of an owner's active action by some scene frames."""
    data = owner.animation_data
    if data is None or data.action is None:
        return
    for curve in slot_curves(data.action, getattr(data, "action_slot", None)):
        for name in ("co", "handle_left", "handle_right"):
            places = np.empty(2 * len(curve.keyframe_points), np.float32)
            curve.keyframe_points.foreach_get(name, places)
            places[0::2] += frames
            curve.keyframe_points.foreach_set(name, places)
        curve.update()


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


def existing_curves(action: bpy.types.Action, slot) -> list[bpy.types.FCurve]:
    """The curves of a slot; an action's own before Blender 4.4, none where a later one has no slot."""
    if not hasattr(action, "slots"):
        return list(action.fcurves)
    bags = [strip.channelbag(slot) for layer in action.layers for strip in layer.strips] if slot is not None else []
    return [curve for bag in bags if bag is not None for curve in bag.fcurves]


def slot_range(action: bpy.types.Action, slot) -> tuple[float, float]:
    """First and last scene frame of a slot's keys; an action's own where it has no slots, or one set by hand."""
    if slot is None or action.use_frame_range:
        return tuple(action.frame_range)
    spans = [curve.range() for curve in existing_curves(action, slot)]
    if not spans:
        return tuple(action.frame_range)
    return min(first for first, _ in spans), max(last for _, last in spans)


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
