"""One action for each line of dialogue: found again by its tag, rewritten, and put above other motion."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import bpy

from ..errors import AnimationError
from .channels import Channel
from .curves import add_slot, clear_keys, count_outside, existing_curves, fill_curves, slot_curves, slot_range
from .spans import EVER, overlap
from .strips import fit_strip, lay_rest, let_go, push_down, strip_of
from .tags import LINE

BAKED = "mouthpiece_baked"
"""Custom property of a line's action: for each slot the first and last scene frame and the data paths of the bake."""


@dataclass(frozen=True)
class Job:
    """What a bake does to one thing."""

    owner: bpy.types.ID
    channels: Sequence[Channel]
    meaning_changed: bool = False
    """Whether the channels mean something else than before, so that no key made by hand can stay on them."""


def bake_into_line(
    line: str, span: tuple[float, float], jobs: Sequence[Job], name: str = "", push: bool = False
) -> tuple[bpy.types.Action, ...]:
    """Write every job's channels into the line's action, and let it drive what the jobs name.

    span: first and last scene frame of the line. What an earlier bake of the line wrote is replaced. Another action
    that drives the same goes on playing where the line has no keys: it moves to a strip of the non-linear animation
    below. name: of the action, the line's own where empty. push: make the line a strip of the non-linear animation.
    """
    actions = []
    for job in jobs:
        action, slot = _find(line, job.owner) or _new(line, job.owner)
        curves = slot_curves(action, slot)
        spans, earlier = _baked_before(action, slot)
        paths = {channel.path for channel in job.channels}
        cleared = [EVER] if job.meaning_changed else [span, *spans]
        _clear_curves(job.owner, curves, earlier - paths, cleared)
        fill_curves(curves, job.channels, cleared)
        _remember(action, slot, span, sorted(paths))
        if name and action.name != name:
            action.name = name
        _drive(job.owner, action, slot)
        if push and job.owner.animation_data.action == action:
            push_down(job.owner, curves)
        actions.append(action)
    return tuple(dict.fromkeys(actions))


def check_free(name: str, owners: Iterable[bpy.types.ID | None]) -> None:
    """Raises AnimationError where a strip of an owner is in tweak mode: which action drives it cannot be changed then.

    name: of the object, for the sentence.
    """
    found = [owner.animation_data for owner in owners if owner is not None and owner.animation_data is not None]
    if any(data.use_tweak_mode for data in found):
        raise AnimationError(f"A strip of {name} is in tweak mode; press Tab in the Nonlinear Animation editor.")


def remove_from_line(line: str, owner: bpy.types.ID) -> None:
    """Take back what bakes of the line wrote for `owner`; keys that were made by hand stay."""
    found = _find(line, owner)
    if found is None:
        return
    action, slot = found
    spans, earlier = _baked_before(action, slot)
    curves = slot_curves(action, slot)
    _clear_curves(owner, curves, earlier, spans)
    if len(curves):
        return
    let_go(owner, action)
    if slot is not None:
        action.slots.remove(slot)
    if action.users == 0 or (slot is not None and not len(action.slots)):
        bpy.data.actions.remove(action)


def line_actions(line: str) -> list[bpy.types.Action]:
    """The actions of a line: one, or before Blender 4.4 one for each thing it drives.

    What is written into one that is linked from a library would be lost: the line gets an action of its own.
    """
    return [action for action in bpy.data.actions if action.get(LINE) == line and action.library is None]


def _find(line: str, owner: bpy.types.ID):
    """(action, slot) that an earlier bake of the line made for `owner`, None where there is none."""
    used = _actions_of(owner)
    for action in line_actions(line):
        if not hasattr(action, "slots"):
            if action in used:
                return action, None
            continue
        for slot in action.slots:
            if owner in slot.users():
                return action, slot
    return None


def keys_by_hand(line: str, owner: bpy.types.ID | None, start: str, span: tuple[float, float]) -> int:
    """How many keys a line's action has on an owner's data paths that begin so, neither in its frames nor in a span."""
    found = None if owner is None else _find(line, owner)
    if found is None:
        return 0
    spans, _ = _baked_before(*found)
    curves = [curve for curve in existing_curves(*found) if curve.data_path.startswith(start)]
    return sum(count_outside(curve, [span, *spans]) for curve in curves)


def driving_lines(owner: bpy.types.ID, span: tuple[float, float]) -> set[str]:
    """The lines whose actions drive `owner` between two scene frames, by themselves or as strips."""
    return {action[LINE] for action in _actions_of(owner) if LINE in action and overlap(action.frame_range, span)}


def _actions_of(owner: bpy.types.ID) -> list[bpy.types.Action]:
    data = owner.animation_data
    if data is None:
        return []
    strips = [strip.action for track in data.nla_tracks for strip in track.strips if strip.action is not None]
    return [*([] if data.action is None else [data.action]), *strips]


def _new(line: str, owner: bpy.types.ID):
    """(action, slot) for `owner`: a further slot of the line's action where actions have slots."""
    existing = line_actions(line)
    action = existing[0] if existing and hasattr(existing[0], "slots") else bpy.data.actions.new(line)
    action[LINE] = line
    return action, add_slot(action, owner)


def _slot_name(slot) -> str:
    return "all" if slot is None else str(slot.handle)


def _baked_before(action: bpy.types.Action, slot) -> tuple[list[tuple[float, float]], set[str]]:
    """(ranges of scene frames, data paths) that the last bake into a slot wrote."""
    earlier = action.get(BAKED)
    if earlier is None or _slot_name(slot) not in earlier:
        return [], set()
    about = earlier[_slot_name(slot)]
    return [(about["first"], about["last"])], set(about["paths"].split("\n"))


def _remember(action: bpy.types.Action, slot, span: tuple[float, float], paths: Sequence[str]) -> None:
    earlier = action.get(BAKED)
    about = {"first": span[0], "last": span[1], "paths": "\n".join(paths)}
    action[BAKED] = {**({} if earlier is None else earlier.to_dict()), _slot_name(slot): about}


def _clear_curves(owner: bpy.types.ID, curves, paths: set[str], cleared: Sequence[tuple[float, float]]) -> None:
    """Take an earlier bake's keys out of curves that are no longer driven; those without further keys go."""
    for curve in [curve for curve in curves if curve.data_path in paths]:
        if clear_keys(curve, cleared) == 0:
            _put_to_rest(owner, curve.data_path, curve.array_index)
            curves.remove(curve)


def _put_to_rest(owner: bpy.types.ID, path: str, index: int) -> None:
    """Set what a curve drove to 0: it would keep the pose that the playhead showed last. A custom property goes."""
    if path.startswith("["):
        owner.pop(path[2:-2], None)
        return
    place, _, name = path.rpartition(".")
    with suppress(ValueError):  # the shape key is gone
        item = owner.path_resolve(place) if place else owner
        if item.is_property_readonly(name):
            return
        if item.bl_rna.properties[name].is_array:
            getattr(item, name)[index] = 0.0
        else:
            setattr(item, name, 0.0)


def _drive(owner: bpy.types.ID, action: bpy.types.Action, slot) -> None:
    data, curves = owner.animation_data_create(), slot_curves(action, slot)
    strip = strip_of(data, action)
    if strip is not None:
        fit_strip(data, strip, slot_range(action, slot))
        lay_rest(owner, curves)
        return
    if data.action is not None and data.action != action:
        push_down(owner, curves)
    elif len(data.nla_tracks):
        lay_rest(owner, curves)
    data.action = action
    if slot is not None:
        data.action_slot = slot
    # Beyond its keys the line leaves the face to what lies below; alone, it holds its last pose as actions do.
    data.action_extrapolation = "NOTHING" if len(data.nla_tracks) else "HOLD"
