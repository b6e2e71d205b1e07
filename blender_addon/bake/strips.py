"""Strips of the non-linear animation: lines above what was there before, and a face at rest below all of it."""

import bpy
import numpy as np

from .curves import add_slot, existing_curves, slot_curves, slot_range
from .spans import overlap
from .tags import LINE

REST = "mouthpiece_rest"
"""Custom property of the action that holds what lines drive at rest where nothing else plays."""
ALWAYS = 100_000.0
"""Scene frames to either side that motion which goes on beyond its keys is played for: an hour, and more."""


def strip_of(data: bpy.types.AnimData, action: bpy.types.Action) -> bpy.types.NlaStrip | None:
    """The strip that plays an action."""
    return next((strip for track in data.nla_tracks for strip in track.strips if strip.action == action), None)


def push_down(owner: bpy.types.ID, curves) -> None:
    """Move the active action to a strip of a new track on top, playing as and when it plays now.

    curves: of the line that the strip makes way for, or of its own; they rest where nothing plays.
    """
    data = owner.animation_data
    action, slot = data.action, getattr(data, "action_slot", None)
    span, extrapolation = slot_range(action, slot), "NOTHING"
    blend, influence = data.action_blend_type, data.action_influence
    if not len(data.nla_tracks) or not data.use_nla:  # Blender passes over both then
        blend, influence = "REPLACE", 1.0
    if LINE not in action:
        extrapolation = data.action_extrapolation
        if _goes_on(existing_curves(action, slot)):
            span = (min(span[0], -ALWAYS), max(span[1], ALWAYS))
    _let_strips_play(data)
    lay_rest(owner, curves)
    data.action, data.action_blend_type, data.action_influence = None, "REPLACE", 1.0
    strip = _add_strip(data, action, slot, span)
    strip.extrapolation, strip.blend_type = extrapolation, blend
    if influence < 1:
        strip.use_animated_influence = True
        strip.fcurves.find("influence").keyframe_points.insert(span[0], influence)


def _let_strips_play(data: bpy.types.AnimData) -> None:
    """Where the strips are switched off as a whole, switch them off one by one instead."""
    if not data.use_nla:
        for track in data.nla_tracks:
            track.mute = True
        data.use_nla = True


def fit_strip(data: bpy.types.AnimData, strip: bpy.types.NlaStrip, span: tuple[float, float]) -> None:
    """Let a strip play a range of its action's frames, each at its own time.

    Where another strip of its track is in the way, it moves to a track of its own on top.
    """
    track = next(track for track in data.nla_tracks if strip in track.strips.values())
    others = [other for other in track.strips if other != strip]
    if any(overlap((other.frame_start, other.frame_end), span) for other in others):
        kept = {name: getattr(strip, name) for name in ("extrapolation", "blend_type", "mute", "blend_in", "blend_out")}
        action, slot = strip.action, getattr(strip, "action_slot", None)
        track.strips.remove(strip)
        strip = _add_strip(data, action, slot, span)
        for name, value in kept.items():
            setattr(strip, name, value)
    else:
        _place(strip, span)


def let_go(owner: bpy.types.ID, action: bpy.types.Action) -> None:
    """Let an action drive an owner no longer, neither by itself nor as a strip; the rest goes with the last line."""
    data = owner.animation_data
    if data.action == action:
        data.action = None
    _remove_strips(data, action)
    rest = _rest_strip(data)
    played = [strip.action for track in data.nla_tracks for strip in track.strips]
    if rest is None or any(found is not None and LINE in found for found in (data.action, *played)):
        return
    resting = rest.action
    _remove_strips(data, resting)
    if resting.users == 0:
        bpy.data.actions.remove(resting)


def lay_rest(owner: bpy.types.ID, curves) -> None:
    """Hold at 0 what curves drive, wherever no strip plays: in a track below those that are added from now on.

    Blender itself shows a property's default there, which for a shape key is 1 in Blender 5.0. What older tracks drive
    is left to them.
    """
    data = owner.animation_data
    strip = _rest_strip(data)
    driven = {(curve.data_path, curve.array_index) for curve in curves}
    for track in data.nla_tracks:
        if strip is not None and strip in track.strips.values():
            break
        driven -= {place for older in track.strips for place in _driven(older)}
    driven -= set() if strip is None else _driven(strip)
    if not driven:
        return
    if strip is None:
        action = bpy.data.actions.new("At rest")
        action[REST] = True
        slot = add_slot(action, owner)
        strip = _add_strip(data, action, slot, (0.0, 1.0))
    resting = slot_curves(strip.action, getattr(strip, "action_slot", None))
    for path, index in sorted(driven):
        resting.new(path, index=index).keyframe_points.insert(0.0, 0.0)


def animated_paths(owner: bpy.types.ID) -> set[str]:
    """The data paths that an owner's action, strips and drivers move, but for what rests below lines."""
    data = owner.animation_data
    if data is None:
        return set()
    playing = [data, *(strip for track in data.nla_tracks for strip in track.strips)]
    moving = [player for player in playing if player.action is not None and REST not in player.action]
    return {path for player in moving for path, _ in _driven(player)} | {driver.data_path for driver in data.drivers}


def _rest_strip(data: bpy.types.AnimData) -> bpy.types.NlaStrip | None:
    strips = (strip for track in data.nla_tracks for strip in track.strips)
    return next((strip for strip in strips if strip.action is not None and REST in strip.action), None)


def _driven(player: bpy.types.AnimData | bpy.types.NlaStrip) -> set[tuple[str, int]]:
    """(data path, index) of what the action of a strip, or the active one, drives."""
    if player.action is None:
        return set()
    curves = existing_curves(player.action, getattr(player, "action_slot", None))
    return {(curve.data_path, curve.array_index) for curve in curves}


def _goes_on(curves) -> bool:
    """Whether curves move beyond their keys: in cycles, for instance, or on in their last direction."""
    return any(len(curve.modifiers) or curve.extrapolation != "CONSTANT" for curve in curves)


def _add_strip(data: bpy.types.AnimData, action: bpy.types.Action, slot, span: tuple[float, float]):
    track = data.nla_tracks.new()
    track.name = action.name
    strip = track.strips.new(action.name, int(np.floor(span[0])), action)
    if slot is not None and hasattr(strip, "action_slot"):
        strip.action_slot = slot
    _place(strip, span)
    return strip


def _place(strip: bpy.types.NlaStrip, span: tuple[float, float]) -> None:
    """Play a range of the action's frames at their own times, once."""
    first, last = span
    strip.scale = strip.repeat = 1.0
    strip.action_frame_end = last  # Blender keeps the start before the end that it has
    strip.action_frame_start, strip.action_frame_end = first, last
    strip.frame_start_raw, strip.frame_end_raw = first, max(last, first + 1)


def _remove_strips(data: bpy.types.AnimData, action: bpy.types.Action) -> None:
    """Take the strips of an action away, and tracks that are empty then."""
    for track in list(data.nla_tracks):
        gone = [strip for strip in track.strips if strip.action == action]
        for strip in gone:
            track.strips.remove(strip)
        if gone and not len(track.strips):
            data.nla_tracks.remove(track)
