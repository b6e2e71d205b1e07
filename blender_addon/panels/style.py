"""The section Style: how the speech is performed."""

import bpy

from ..preset_operators import MOUTHPIECE_MT_style_presets, MOUTHPIECE_OT_style_preset
from ..style_settings import GROUP
from ..translations import CONTEXT
from .drawing import draw_presets


class StylePanel:
    """What the section is in both places."""

    bl_label = "Style"
    bl_region_type = "UI"
    bl_category = "Mouthpiece"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        """Draw the presets beside the title."""
        draw_presets(self.layout, MOUTHPIECE_MT_style_presets, MOUTHPIECE_OT_style_preset.bl_idname)

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        style = getattr(context.scene, GROUP)
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        draw_controls(layout.column(heading="Mouth"), style, ("intensity", "jaw", "lips", "style"))
        draw_controls(layout.column(), style, ("smooth", "silence_gate", "breath", "gains"))
        draw_controls(layout.column(heading="Face", heading_ctxt=CONTEXT), style, ("blinks", "brows", "head", "seed"))


def draw_controls(column: bpy.types.UILayout, style: bpy.types.PropertyGroup, names: tuple[str, ...]) -> None:
    """Some of the controls, one below the other."""
    for name in names:
        column.prop(style, name, slider=name not in ("smooth", "gains", "seed"))


class MOUTHPIECE_PT_style(StylePanel, bpy.types.Panel):
    """How the speech is performed."""

    bl_parent_id = "MOUTHPIECE_PT_animate"
    bl_space_type = "VIEW_3D"


class MOUTHPIECE_PT_style_sequencer(StylePanel, bpy.types.Panel):
    """How the speech is performed."""

    bl_parent_id = "MOUTHPIECE_PT_animate_sequencer"
    bl_space_type = "SEQUENCE_EDITOR"


CLASSES = (MOUTHPIECE_PT_style, MOUTHPIECE_PT_style_sequencer)
