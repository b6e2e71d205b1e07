"""The Mouthpiece panels in the 3D View's sidebar and the Sequencer's: a module a section."""

import bpy

from . import animate, batch, face, importing, live, style, train

SECTIONS = (animate, style, face, batch, live, train, importing)


def register() -> None:
    """Register the panels."""
    for section in SECTIONS:
        for item in section.CLASSES:
            bpy.utils.register_class(item)


def unregister() -> None:
    """Unregister the panels."""
    for section in reversed(SECTIONS):
        for item in reversed(section.CLASSES):
            bpy.utils.unregister_class(item)
