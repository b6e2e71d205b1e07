"""Put the line's sound into the scene's sequencer."""

from pathlib import Path

import bpy

from .curves import existing_curves
from .paths import stored_path
from .spans import overlap
from .tags import LINE

SET_BY_HAND = ("volume", "pan", "mute", "lock", "color_tag", "show_waveform")
"""What of a strip stays where its line is animated again, beside its name, channel and keys."""


def add_sound(scene: bpy.types.Scene, line: str, path: Path, start: float) -> bpy.types.Sound | None:
    """Add a sound strip that begins at the scene frame nearest to `start`; the line's earlier strip is replaced.

    What was set on the earlier strip stays, and its channel where that is free. Returns the sound; None, and no strip,
    where Blender cannot read it or was built without sound (the 4.2 wheel).
    """
    if not bpy.app.build_options.audaspace:
        return None
    editor = scene.sequence_editor or scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences  # renamed in 4.5
    earlier = next((strip for strip in strips if strip.get(LINE) == line), None)
    channel = 1 + max((strip.channel for strip in strips), default=0)
    strip = strips.new_sound(name=line, filepath=stored_path(path), channel=channel, frame_start=round(start))
    if strip.sound.channels == "INVALID":
        strip[LINE] = line
        remove_sound(strips, line)
        return None
    if earlier is None:
        strip[LINE] = line
        return strip.sound
    _take_over(scene, earlier, strip)
    name, channel = earlier.name, earlier.channel
    remove_sound(strips, line)
    strip[LINE], strip.name = line, name
    _move_to(strips, strip, channel)
    return strip.sound


def _take_over(scene: bpy.types.Scene, earlier, strip) -> None:
    """Give a strip the settings of an earlier one, and the curves that animate these."""
    for name in SET_BY_HAND:
        setattr(strip, name, getattr(earlier, name))
    if getattr(earlier, "sound", None) is not None:
        strip.sound.use_mono = earlier.sound.use_mono  # without it there is no pan
    data = scene.animation_data
    if data is None or data.action is None:
        return
    old, new = f"{earlier.path_from_id()}.", f"{strip.path_from_id()}."
    for curve in existing_curves(data.action, getattr(data, "action_slot", None)):
        if curve.data_path.startswith(old):
            curve.data_path = new + curve.data_path.removeprefix(old)


def _move_to(strips, strip, channel: int) -> None:
    """Move a strip to a channel where that is free; where it is not, the lowest above all others."""
    span = strip.frame_final_start, strip.frame_final_end
    others = [other for other in strips if other != strip]
    below = [other for other in others if other.channel == channel]
    if any(overlap(span, (other.frame_final_start, other.frame_final_end)) for other in below):
        channel = 1 + max(other.channel for other in others)
    strip.channel = channel


def remove_sound(strips, line: str) -> None:
    """Remove the strips of a line, and their sounds where nothing else plays them."""
    for strip in [strip for strip in strips if strip.get(LINE) == line]:
        sound = getattr(strip, "sound", None)
        strips.remove(strip)
        if sound is not None and sound.users == 0:
            bpy.data.sounds.remove(sound)
