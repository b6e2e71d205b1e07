"""What the sections draw alike: how far work is, sentences, presets."""

import bpy

from ..activity import shown
from ..status_drawing import draw_progress, draw_sentence

LETTER, MARGIN = 6.6, 70
"""Width of a letter, and of what is beside a line of text, in pixels at a scale of 1."""
NARROWEST = 24


def letters() -> int:
    """How many letters fit into a line of the region that is drawn."""
    region, scale = bpy.context.region, bpy.context.preferences.system.ui_scale or 1.0
    width = 280 * scale if region is None else region.width
    return max(NARROWEST, int((width - MARGIN * scale) / (LETTER * scale)))


def draw_activity(layout: bpy.types.UILayout, place: str, cancel: str) -> None:
    """How far the work of a place is, or what became of the last."""
    activity = shown(place)
    if activity is None:
        return
    if activity.ended:
        draw_sentence(layout, activity.message, "ERROR" if activity.failed else "CHECKMARK", letters())
    else:
        draw_progress(layout, activity, cancel)


def draw_presets(layout: bpy.types.UILayout, menu: type[bpy.types.Menu], operator: str) -> None:
    """A menu of presets with buttons that add one and take one away."""
    row = layout.row(align=True)
    row.use_property_split = False
    row.menu(menu.__name__, text="", icon="PRESET")
    row.operator(operator, text="", icon="ADD")
    remove = row.operator(operator, text="", icon="REMOVE")
    remove.remove_active = True
