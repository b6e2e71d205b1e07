"""The keyboard shortcut: Ctrl Alt M animates, in the 3D View and in the Sequencer."""

import bpy

PLACES = (("3D View", "VIEW_3D"), ("Sequencer", "SEQUENCE_EDITOR"))
_items: list[tuple[bpy.types.KeyMap, bpy.types.KeyMapItem]] = []


def register() -> None:
    """Add the shortcut to the add-ons' key configuration, which people may change in the preferences."""
    configuration = bpy.context.window_manager.keyconfigs.addon
    if configuration is None:  # Blender without a window
        return
    for name, space in PLACES:
        keymap = configuration.keymaps.new(name=name, space_type=space)
        _items.append((keymap, keymap.keymap_items.new("mouthpiece.animate", "M", "PRESS", ctrl=True, alt=True)))


def unregister() -> None:
    """Take it away."""
    while _items:
        keymap, item = _items.pop()
        keymap.keymap_items.remove(item)
