"""Put the line's sound into the scene's sequencer."""

from pathlib import Path

import bpy

from .paths import stored_path
from .tags import LINE


def add_sound(scene: bpy.types.Scene, line: str, path: Path, start: float) -> bpy.types.Sound | None:
    """Add a sound strip that begins at the scene frame nearest to `start`; the line's earlier strip is replaced.

    Returns the sound; None, and no strip, where Blender cannot read it or was built without sound (the 4.2 wheel).
    """
    if not bpy.app.build_options.audaspace:
        return None
    editor = scene.sequence_editor or scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences  # renamed in 4.5
    remove_sound(strips, line)
    channel = _free_channel(strips)
    strip = strips.new_sound(name=line, filepath=stored_path(path), channel=channel, frame_start=round(start))
    strip[LINE] = line
    if strip.sound.channels == "INVALID":
        remove_sound(strips, line)
        return None
    return strip.sound


def remove_sound(strips, line: str) -> None:
    """Remove the strips of a line, and their sounds where nothing else plays them."""
    for strip in [strip for strip in strips if strip.get(LINE) == line]:
        sound = getattr(strip, "sound", None)
        strips.remove(strip)
        if sound is not None and sound.users == 0:
            bpy.data.sounds.remove(sound)


def _free_channel(strips) -> int:
    return 1 + max((strip.channel for strip in strips), default=0)
